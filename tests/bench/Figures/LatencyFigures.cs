using System.Diagnostics;
using ManagedServers.Bench.Reference;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Figures;

/// <summary>From the call that starts a run to the body of its first step, on a node with nothing else to do.</summary>
internal static class LatencyFigures
{
    public static async IAsyncEnumerable<Figure> Measure(Bench bench)
    {
        await using var node = await BenchNode.Start(await bench.Postgres.NewDatabase(), "node");
        await using var hangfire = new BareHangfire(await bench.Postgres.NewDatabase());
        hangfire.StartServer();
        List<double> reference = [], ours = [];
        for (var n = -20; n < bench.Of(200); n++)
        {
            var (theirs, mine) = (await hangfire.Latency(), await Latency(node));
            if (n >= 0)
            {
                reference.Add(theirs);
                ours.Add(mine);
            }
        }

        foreach (var (word, share) in new[] { ("p50", 0.5), ("p95", 0.95) })
        {
            yield return Figure.Time($"start of a run to its first step's body, {word}", $"{BareHangfire.Name}, enqueue to body",
                Bench.Percentile(ours, share), Bench.Percentile(reference, share), 1.5);
        }
    }

    private static async Task<double> Latency(BenchNode node)
    {
        var asked = Stopwatch.GetTimestamp();
        var id = await node.Begin(new BenchInput(1));
        var taken = Stopwatch.GetElapsedTime(asked, await BenchStep.Of(BenchStep.Begun, id).Task).TotalMilliseconds;
        await node.AllEnded();
        return taken;
    }
}
