using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ManagedServers.Engine;

namespace ManagedServers.Api.Endpoints;

/// <summary>A run as a stream: its state whenever it has changed, its log line by line, and its end.</summary>
internal static class RunEvents
{
    private const int Batch = 1000;

    public static async IAsyncEnumerable<SseItem<JsonElement>> Of(IRuns runs, Guid id, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? last = null;
        await foreach (var _ in runs.Watch(id, cancellationToken))
        {
            // The state first, the log second: then an end is never told before the last line of the log.
            var run = await runs.Get(id, cancellationToken);
            for (IReadOnlyList<LogLine>? lines = null; lines is null || lines.Count == Batch;)
            {
                lines = await runs.Log(id, after, Batch, cancellationToken);
                foreach (var line in lines)
                {
                    after = line.Seq;
                    yield return Item(line, "log") with { EventId = line.Seq.ToString(CultureInfo.InvariantCulture) };
                }
            }

            if (run is null)
            {
                yield break;
            }

            var json = JsonSerializer.SerializeToElement(run, EngineJson.Options);
            var text = json.GetRawText();
            if (text != last)
            {
                last = text;
                yield return new SseItem<JsonElement>(json, "run");
            }

            if (run.State is RunState.Succeeded or RunState.Failed or RunState.Cancelled)
            {
                yield return new SseItem<JsonElement>(json, "end");
                yield break;
            }
        }
    }

    private static SseItem<JsonElement> Item<T>(T value, string kind) => new(JsonSerializer.SerializeToElement(value, EngineJson.Options), kind);
}
