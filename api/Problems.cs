using System.Text.Json;
using System.Text.RegularExpressions;
using ManagedServers.Api.Endpoints;
using ManagedServers.Engine;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Routes;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace ManagedServers.Api;

/// <summary>Every refusal as <c>application/problem+json</c>: a stable type, a sentence for people, the fields at fault.</summary>
internal sealed partial class Problems(ILogger<Problems> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        // The request's own path: by now the context has that of the page for people.
        var path = new PathString(context.Features.GetRequiredFeature<IExceptionHandlerPathFeature>().Path);
        if (context.Response.HasStarted || !path.StartsWithSegments("/api"))
        {
            return false;
        }

        var problem = Of(exception);
        if (exception is IHostProblem)
        {
            log.LogWarning("{Method} {Path}: {Problem}", context.Request.Method, path, exception.Message);
        }
        else if (problem.Status >= 500)
        {
            log.LogError(exception, "{Method} {Path} failed", context.Request.Method, path);
        }

        await Write(context, problem);
        return true;
    }

    public static Task Write(HttpContext context, int status, string type, string title, string detail) =>
        Write(context, new Problem { Status = status, Type = type, Title = title, Detail = detail });

    private static Problem Of(Exception exception) => exception switch
    {
        InvalidInputException e => new() { Status = 400, Type = "invalid-input", Title = "The input breaks a rule", Detail = "Nothing was changed. " + Sentence(e.Message), Errors = e.Errors },
        BadHttpRequestException { InnerException: JsonException json } => Json(json),
        BadHttpRequestException { StatusCode: 400 } e when QueryRules.Broken(e) is var (field, rule) => Invalid(field, rule),
        BadHttpRequestException e => new() { Status = e.StatusCode, Type = "bad-request", Title = "The request cannot be read", Detail = e.Message },
        RunNotFoundException e => new() { Status = 404, Type = "run-not-found", Title = "No such run", Detail = e.Message },
        ScheduleNotFoundException e => new() { Status = 404, Type = "schedule-not-found", Title = "No such schedule", Detail = e.Message },
        InvalidScheduleException e => new()
        {
            Status = 400, Type = "invalid-input", Title = "The input breaks a rule", Detail = "Nothing was changed. " + Sentence(e.Message),
            Errors = e.Problems.GroupBy(p => p.Field).ToDictionary(g => g.Key, g => g.Select(p => p.Message).ToArray()),
        },
        ScheduleActionException e => new() { Status = 409, Type = "schedule-conflict", Title = "Not possible for this schedule", Detail = e.Message },
        ServerNotFoundException e => new() { Status = 404, Type = "server-not-found", Title = "No such server", Detail = e.Message },
        RouteNotFoundException e => new() { Status = 404, Type = "route-not-found", Title = "No such SSH route", Detail = e.Message },
        ConfigurationNotFoundException e => new() { Status = 404, Type = "configuration-not-found", Title = "No such configuration", Detail = e.Message },
        SettingsNotFoundException e => new() { Status = 404, Type = "settings-not-found", Title = "No such settings", Detail = e.Message },
        SettingsConflictException e => new() { Status = 409, Type = "settings-conflict", Title = "Changed meanwhile", Detail = e.Message },
        CommandNotFoundException e => new() { Status = 404, Type = "command-not-found", Title = "No such command", Detail = e.Message },
        AlertRuleNotFoundException e => new() { Status = 404, Type = "alert-rule-not-found", Title = "No such alert rule", Detail = e.Message },
        ChannelNotFoundException e => new() { Status = 404, Type = "channel-not-found", Title = "No such channel", Detail = e.Message },
        MaintenanceNotFoundException e => new() { Status = 404, Type = "maintenance-not-found", Title = "No such maintenance window", Detail = e.Message },
        TokenNotFoundException e => new() { Status = 404, Type = "token-not-found", Title = "No such token", Detail = e.Message },
        CommandConflictException e => new() { Status = 409, Type = e.Code, Title = "Not possible for this command", Detail = e.Message },
        ServerConflictException e => new() { Status = 409, Type = e.Code, Title = "Not possible now", Detail = e.Message },
        EnrolmentRefusedException e => new() { Status = e.IsUnknown ? 401 : 409, Type = e.Code, Title = "Not enrolled", Detail = e.Message },
        RunActionException e => new() { Status = 409, Type = "run-conflict", Title = "Not possible for this run", Detail = e.Message },
        IngestionBusyException e => new() { Status = 503, Type = "busy", Title = "Try again later", Detail = e.Message },
        HostRejectedException e => Host(e, e.Code is HostProblem.HostKeyUnknown or HostProblem.HostKeyChanged ? 409 : 400) with
        {
            Errors = e.Field is { } field ? new Dictionary<string, string[]> { [field] = [e.Message] } : null,
            Fingerprint = e.Presented?.Fingerprint, Algorithm = e.Presented?.Algorithm, Expected = e.Expected?.Fingerprint,
        },
        IHostProblem e => Host(e, 502),
        Npgsql.PostgresException { SqlState: "22021" or "22P05" } or System.Text.EncoderFallbackException or UnstorableTextException =>
            new() { Status = 400, Type = "invalid-input", Title = "The input breaks a rule", Detail = "Nothing was changed. The request holds text that cannot be kept: a NUL character, or half of a surrogate pair." },
        Npgsql.NpgsqlException { IsTransient: true } => new()
        {
            Status = 503, Type = "database-away", Title = "Try again later", Detail = "The product's database does not answer, as while it is being started again. Nothing was changed that was not told before; try again in a few seconds.",
        },
        OperationCanceledException => new() { Status = 499, Type = "cancelled", Title = "Cancelled", Detail = "The client went away." },
        _ => new() { Status = 500, Type = "internal", Title = "Something went wrong in the product", Detail = "What went wrong is in the product's log at this time. Nothing more is known here." },
    };

    private static Problem Host(IHostProblem problem, int status) => new() { Status = status, Type = problem.Code, Title = "The host cannot be used like this", Detail = problem.Message };

    private static Problem Json(JsonException json)
    {
        var field = json.Path is { Length: > 2 } path ? path[2..] : "body";
        if (NotKnown().Match(json.Message) is { Success: true } unknown)
        {
            // The reader's path ends at the member, or at what holds it.
            var member = unknown.Groups["name"].Value;
            return Invalid(field == "body" ? member : field == member || field.EndsWith($".{member}", StringComparison.Ordinal) ? field : $"{field}.{member}", "is not known here");
        }

        var rule = json.Message.StartsWith("The value ", StringComparison.Ordinal) ? json.Message : "cannot be read as JSON of the expected type";
        return Invalid(field, rule);
    }

    private static Problem Invalid(string field, string rule) => new()
    {
        Status = 400, Type = "invalid-input", Title = "The input breaks a rule", Detail = $"Nothing was changed. {field}: {Sentence(rule)}",
        Errors = new Dictionary<string, string[]> { [field] = [rule] },
    };

    [GeneratedRegex("""\AThe JSON property '(?<name>.*?)' could not be mapped""", RegexOptions.Singleline)]
    private static partial Regex NotKnown();

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";

    private static Task Write(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "5";
        }

        return context.Response.WriteAsJsonAsync(problem, JsonOptions, "application/problem+json", context.RequestAborted);
    }

    private static readonly JsonSerializerOptions JsonOptions = new(EngineJson.Options)
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    private sealed record Problem
    {
        public required string Type { get; init; }
        public required string Title { get; init; }
        public required int Status { get; init; }
        public required string Detail { get; init; }
        public IReadOnlyDictionary<string, string[]>? Errors { get; init; }
        public string? Algorithm { get; init; }
        public string? Fingerprint { get; init; }
        public string? Expected { get; init; }
    }
}
