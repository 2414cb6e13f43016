using ManagedServers.Bench.Reference;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Figures;

/// <summary>Whole runs per second, against the jobs that they are for Hangfire. Both lie in the queue before the workers start.</summary>
internal static class RunFigures
{
    public static async IAsyncEnumerable<Figure> Measure(Bench bench)
    {
        await Rate(bench, steps: 6, runs: 400);
        await Reference(bench, 400);
        foreach (var (steps, bound) in new[] { (6, 0.5), (1, 0.6) })
        {
            var runs = bench.Of(1200);
            var pair = await bench.SideBySide(() => Reference(bench, runs), () => Rate(bench, steps, runs));
            yield return Figure.Rate($"runs of {(steps == 1 ? "one step" : $"{steps} steps")} finished, 16 workers", "/s", $"{BareHangfire.Name}, 16 workers", pair, bound);
        }
    }

    private static async Task<double> Reference(Bench bench, int jobs)
    {
        await using var hangfire = new BareHangfire(await bench.Postgres.NewDatabase());
        return await hangfire.Drain(jobs);
    }

    private static async Task<double> Rate(Bench bench, int steps, int runs)
    {
        var database = await bench.Postgres.NewDatabase();
        await using (var desk = await BenchNode.Start(database, "desk", workers: 0))
        {
            await Parallel.ForAsync(0, runs, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) => await desk.Begin(new BenchInput(steps)));
        }

        await using var node = await BenchNode.Start(database, "node");
        await node.AllEnded();
        return runs / await node.Ask<double>("select extract(epoch from max(finished_at) - min(started_at))::float8 from engine.run");
    }
}
