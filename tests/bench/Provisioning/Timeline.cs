using System.Text.Json;

namespace ManagedServers.Bench.Provisioning;

/// <summary>Where the time of the runs goes, step by step: what to look at when a target is missed.</summary>
internal static class Timeline
{
    private static readonly Dictionary<(string Kind, string Step), List<double>> Steps = [];
    private static readonly Lock Gate = new();

    public static void Note(JsonElement run)
    {
        lock (Gate)
        {
            foreach (var step in run.GetProperty("steps").EnumerateArray())
            {
                if (step.GetProperty("startedAt") is { ValueKind: JsonValueKind.String } began && step.GetProperty("finishedAt") is { ValueKind: JsonValueKind.String } ended)
                {
                    var key = (run.GetProperty("kind").GetString()!, step.GetProperty("name").GetString()!);
                    (Steps.TryGetValue(key, out var all) ? all : Steps[key] = []).Add((ended.GetDateTimeOffset() - began.GetDateTimeOffset()).TotalMilliseconds);
                }
            }
        }
    }

    /// <summary>Says the medians since the last time.</summary>
    public static void Say(string what)
    {
        lock (Gate)
        {
            foreach (var kind in Steps.GroupBy(s => s.Key.Kind))
            {
                Bench.Say($"  {what}, {kind.Key}: {string.Join(", ", kind.Select(s => $"{s.Key.Step} {Bench.Median(s.Value):0}"))} ms");
            }

            Steps.Clear();
        }
    }
}
