using System.Diagnostics;
using ManagedServers.Bench.Setup;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Bench.Figures;

/// <summary>From an operator's cancel on one node to the token of the step on another, beside one NOTIFY from session to session.</summary>
internal static class CancelFigures
{
    public static async IAsyncEnumerable<Figure> Measure(Bench bench)
    {
        var database = await bench.Postgres.NewDatabase();
        await using var desk = await BenchNode.Start(database, "desk", workers: 0);
        await using var node = await BenchNode.Start(database, "node");
        List<double> reference = [], ours = [];
        for (var n = -5; n < bench.Of(100); n++)
        {
            var (theirs, mine) = (await Notify(desk.Database), await Cancel(desk));
            if (n >= 0)
            {
                reference.Add(theirs);
                ours.Add(mine);
            }
        }

        var (cancel, notify) = (Bench.Percentile(ours, 0.95), Bench.Percentile(reference, 0.95));
        yield return new Figure("cancel to the step's token on another node, p95", "ms", cancel,
            $"one NOTIFY, p95 ({Figure.Number(cancel / notify)} of them)", notify, cancel, 200, false, " ms");
    }

    private static async Task<double> Cancel(BenchNode desk)
    {
        var id = await desk.Begin(new BenchInput(1) { Waits = true });
        await BenchStep.Of(BenchStep.Begun, id).Task;
        var asked = Stopwatch.GetTimestamp();
        await desk.Runs.Cancel(id, CancelMode.Stop, "bench");
        return Stopwatch.GetElapsedTime(asked, await BenchStep.Of(BenchStep.Told, id).Task).TotalMilliseconds;
    }

    private static async Task<double> Notify(NpgsqlDataSource database)
    {
        await using var ear = await database.OpenConnectionAsync();
        await using var mouth = await database.OpenConnectionAsync();
        await using (var listen = new NpgsqlCommand("listen bench", ear))
        {
            await listen.ExecuteNonQueryAsync();
        }

        await using var notify = new NpgsqlCommand("select pg_notify('bench', 'x')", mouth);
        var asked = Stopwatch.GetTimestamp();
        var heard = ear.WaitAsync();
        await notify.ExecuteNonQueryAsync();
        await heard;
        return Bench.Ms(asked);
    }
}
