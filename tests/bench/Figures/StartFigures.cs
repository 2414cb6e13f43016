using System.Diagnostics;
using ManagedServers.Bench.Reference;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Figures;

/// <summary>Starts per second, row and Hangfire job both there when the call returns.</summary>
internal static class StartFigures
{
    private const int Callers = 8;

    public static async IAsyncEnumerable<Figure> Measure(Bench bench)
    {
        await using var desk = await BenchNode.Start(await bench.Postgres.NewDatabase(), "desk", workers: 0);
        await using var hangfire = new BareHangfire(await bench.Postgres.NewDatabase());
        await Rate(desk, 400);
        await hangfire.Enqueue(400, Callers);
        var starts = bench.Of(2000);
        var pair = await bench.SideBySide(() => hangfire.Enqueue(starts, Callers), () => Rate(desk, starts));
        yield return Figure.Rate($"starts of runs, {Callers} callers", "/s", $"{BareHangfire.Name}, enqueues of {Callers} callers", pair, 0.5);
    }

    private static async Task<double> Rate(BenchNode desk, int starts)
    {
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, starts, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (_, _) => await desk.Begin(new BenchInput(6)));
        return starts / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
