using System.Globalization;
using System.Text;
using ManagedServers.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ManagedServers.Dashboard.Runs;

/// <summary>A run's whole log as a file: the page itself shows its end only.</summary>
internal static class LogText
{
    private const int AtOnce = 1000;

    public static string Path(Guid run) => $"/runs/{run}/log.txt";

    public static RouteHandlerBuilder MapLogText(this IEndpointRouteBuilder app) =>
        app.MapGet("/runs/{id:guid}/log.txt", async (Guid id, IRuns runs, HttpContext context) =>
        {
            if (await runs.Get(id, context.RequestAborted) is null)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            context.Response.ContentType = "text/plain; charset=utf-8";
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"run-{id}.txt\"";
            await Write(id, runs, context.Response, context.RequestAborted);
        }).ExcludeFromDescription();

    private static async Task Write(Guid id, IRuns runs, HttpResponse response, CancellationToken cancellationToken)
    {
        var after = 0L;
        IReadOnlyList<LogLine> lines;
        do
        {
            lines = await runs.Log(id, after, AtOnce, cancellationToken);
            var text = new StringBuilder();
            foreach (var line in lines)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"{line.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} {line.Level,-11} step {line.StepSeq,-3} {line.Message}");
                after = line.Seq;
            }

            await response.WriteAsync(text.ToString(), cancellationToken);
        }
        while (lines.Count == AtOnce);
    }
}
