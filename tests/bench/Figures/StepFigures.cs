using System.Diagnostics;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Figures;

/// <summary>Journalled steps per second, against PostgreSQL's own small transactions.</summary>
internal static class StepFigures
{
    private const int Steps = 500;
    private const int Seconds = 5;

    public static async IAsyncEnumerable<Figure> Measure(Bench bench)
    {
        await using var node = await BenchNode.Start(await bench.Postgres.NewDatabase(), "steps");
        for (var work = Stopwatch.StartNew(); work.Elapsed < TimeSpan.FromSeconds(bench.Of(20));)
        {
            await Rate(node, runs: 16, steps: 250); // compiles what will run, as it is in a node that has worked for a while
        }

        foreach (var (runs, bound) in new[] { (16, 0.5), (1, 0.3) })
        {
            var pair = await bench.SideBySide(() => bench.Postgres.PgBench(runs, Seconds), () => Rate(node, runs, Steps));
            yield return Figure.Rate(
                runs == 1 ? $"journalled steps, one run of {Steps} alone" : $"journalled steps, {runs} runs of {Steps}", "/s",
                runs == 1 ? "pgbench -N, 1 client" : $"pgbench -N, {runs} clients", pair, bound);
        }
    }

    /// <summary>Steps per second from the start of the first to the end of the last.</summary>
    public static async Task<double> Rate(BenchNode node, int runs, int steps)
    {
        var since = await node.Ask<DateTime>("select clock_timestamp()");
        await Task.WhenAll(Enumerable.Range(0, runs).Select(_ => node.Begin(new BenchInput(steps))));
        await node.AllEnded();
        var seconds = await node.Ask<double>(
            $"select extract(epoch from max(finished_at) - min(started_at))::float8 from engine.step where started_at >= '{since:O}'");
        return runs * steps / seconds;
    }
}
