using System.Globalization;
using System.Net;
using System.Text;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RouteCollection = Hangfire.Dashboard.RouteCollection;

namespace ManagedServers.Engine;

/// <summary>How Hangfire's own pages are shown.</summary>
public sealed record JobPagesOptions
{
    /// <summary>Who acts: the name for the audit; null when the visitor may only look.</summary>
    public required Func<HttpContext, string?> Actor { get; init; }

    /// <summary>The page of a run.</summary>
    public required Func<Guid, string> RunPage { get; init; }

    /// <summary>Where "back to site" leads.</summary>
    public string Home { get; init; } = "/";
}

/// <summary>Hangfire's own pages with the engine's words: runs by their titles, their steps, and buttons that mean what the engine means by them.</summary>
public static class JobPages
{
    private static readonly AsyncLocal<string?> CurrentActor = new();
    private static int rendererAdded;

    /// <summary>Maps them. Whoever may see them is decided by the endpoint's authorization, which the caller adds to what is returned.</summary>
    /// <param name="endpoints">Where.</param>
    /// <param name="path">Their root, for example <c>/hangfire</c>.</param>
    /// <param name="options">Who acts, and where runs are shown.</param>
    public static IEndpointConventionBuilder MapEngineJobs(this IEndpointRouteBuilder endpoints, string path, JobPagesOptions options)
    {
        var storage = endpoints.ServiceProvider.GetRequiredService<HangfireStorage>().Storage;
        endpoints.ServiceProvider.GetRequiredService<JobRuns>().Answer(storage, options.RunPage);
        if (Interlocked.Exchange(ref rendererAdded, 1) == 0)
        {
            GlobalConfiguration.Configuration.UseJobDetailsRenderer(1, Steps);
        }

        var pages = new DashboardOptions
        {
            Authorization = [new Signed(options)],
            IsReadOnlyFunc = context => options.Actor(context.GetHttpContext()) is null,
            DisplayNameFunc = (context, job) => job.Args is [Guid run, ..] && JobRuns.Of(context.Storage)?.Title(run) is { } title ? title : job.ToString(false),
            DashboardTitle = "Jobs",
            AppPath = options.Home,
            DisplayStorageConnectionString = false,
            DefaultRecordsPerPage = 20,
        };
        // MapHangfireDashboard would take its routes from the container, where a Hangfire of the process's own has its.
        return endpoints.Map($"{path}/{{**page}}", endpoints.CreateApplicationBuilder().UsePathBase(path).UseMiddleware<AspNetCoreDashboardMiddleware>(storage, pages, Routes()).Build());
    }

    /// <summary>From here to the end of the request, somebody acts by the buttons of a page; null: nobody does.</summary>
    internal static void Acts(string? actor) => CurrentActor.Value = actor;

    /// <summary>Who pressed the button.</summary>
    internal static string? Actor => CurrentActor.Value;

    /// <summary>Hangfire's pages and commands; those on recurring jobs, which Hangfire itself would only add to or take from its queue, are what the schedules know by these words.</summary>
    internal static RouteCollection Routes()
    {
        var routes = new RouteCollection();
        routes.AddBatchCommand("/recurring/trigger", (context, schedule) => JobRuns.Of(context.Storage)!.Trigger(schedule, Actor!));
        routes.AddBatchCommand("/recurring/remove", (context, schedule) => JobRuns.Of(context.Storage)!.Remove(schedule, Actor!));
        routes.Add(".*", new HangfiresOwn());
        return routes;
    }

    private static NonEscapedString Steps(JobDetailsRendererDto dto)
    {
        if (dto.JobDetails.Job?.Args is not [Guid id, ..] || JobRuns.Of(dto.Page.Storage) is not { } runs || runs.Details(id) is not { } run)
        {
            return new NonEscapedString("");
        }

        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<h3>{Text(run.Title)}</h3><p><a href=\"{Text(runs.PageOf(id))}\">Run {run.Id}</a> is {Text(EngineJson.Word(run.State))}. {Text(run.Reason)}</p>");
        html.Append("<table class=\"table\"><thead><tr><th>#</th><th>Step</th><th>State</th><th>Tries</th><th>What</th></tr></thead><tbody>");
        foreach (var step in run.Steps)
        {
            var progress = step.Progress is { } fraction ? $"{fraction.ToString("P0", CultureInfo.InvariantCulture)} {step.ProgressNote}" : step.Summary ?? step.Error;
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{step.Seq}</td><td>{Text(step.Title)}</td><td>{Text(EngineJson.Word(step.State))}</td><td>{step.Attempts}</td><td>{Text(progress)}</td></tr>");
        }

        return new NonEscapedString(html.Append("</tbody></table>").ToString());
    }

    private static string Text(string? text) => WebUtility.HtmlEncode(text ?? "");

    /// <summary>Lets everybody in whom the endpoint let in, and remembers who it is while the page acts.</summary>
    private sealed class Signed(JobPagesOptions options) : IDashboardAuthorizationFilter
    {
        public bool Authorize(DashboardContext context)
        {
            var http = context.GetHttpContext();
            Acts(HttpMethods.IsPost(http.Request.Method) ? options.Actor(http) : null);
            return true;
        }
    }

    private sealed class HangfiresOwn : IDashboardDispatcher
    {
        public Task Dispatch(DashboardContext context)
        {
            if (DashboardRoutes.Routes.FindDispatcher(context.Request.Path) is not { } found)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }

            context.UriMatch = found.Item2;
            return found.Item1.Dispatch(context);
        }
    }
}
