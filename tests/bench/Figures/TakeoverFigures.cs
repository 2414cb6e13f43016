using System.Diagnostics;
using Hangfire;
using ManagedServers.Bench.Reference;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Figures;

/// <summary>From <c>kill -9</c> of the process that works to the work on another. Hangfire's takes a minute, so a quick bench leaves this out.</summary>
internal static class TakeoverFigures
{
    public static async IAsyncEnumerable<Figure> Measure(Bench bench)
    {
        if (bench.Quick)
        {
            yield break;
        }

        Bench.Say("  killing nodes; takes about a minute …");
        var reference = Hangfire(await bench.Postgres.NewDatabase());
        var ours = new List<double>();
        for (var n = 0; n < 3; n++)
        {
            ours.Add(await Engine(await bench.Postgres.NewDatabase()));
        }

        yield return Figure.Time("kill -9 of a node to the run on another", $"{BareHangfire.Name}, sliding invisibility of 60 s", Bench.Median(ours), await reference, 0.35);
    }

    private static async Task<double> Engine(string database)
    {
        await using var desk = await BenchNode.Start(database, "desk", workers: 0);
        await using var lost = await ChildProcess.Start("node", database, "lost");
        await desk.Begin(new BenchInput(2) { Waits = true });
        await lost.Says("begun 1");
        await using var other = await ChildProcess.Start("node", database, "other");
        return await KilledTo(lost, other, "begun 2");
    }

    private static async Task<double> Hangfire(string database)
    {
        await using var hangfire = new BareHangfire(database);
        await using var lost = await ChildProcess.Start("hangfire-server", database);
        hangfire.Client.Enqueue(() => BareJob.Wait());
        await lost.Says("begun");
        await using var other = await ChildProcess.Start("hangfire-server", database);
        return await KilledTo(lost, other, "begun");
    }

    private static async Task<double> KilledTo(ChildProcess lost, ChildProcess other, string line)
    {
        var killed = Stopwatch.GetTimestamp();
        lost.Kill();
        await other.Says(line);
        return Bench.Ms(killed);
    }
}
