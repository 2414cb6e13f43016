using System.Diagnostics;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Bench.Monitoring;

/// <summary>What a measured value takes on the disk once its hour was packed, beside Prometheus.</summary>
internal static class ByteFigures
{
    private const int BeatsInAReport = 960;

    public static async IAsyncEnumerable<Figure> Measure(Bench bench, string folder)
    {
        var day = new FleetDay(bench.Of(100));
        var now = TimeProvider.System.GetUtcNow();
        var start = new DateTimeOffset(now.UtcDateTime.Date.AddDays(-1), TimeSpan.Zero);
        var reference = await Prometheus(day, start, Path.Combine(folder, "prometheus")) / (double)day.Samples;

        await using var node = await MonitoringNode.Start(bench.Postgres);
        await Send(node, day, start);
        // Over a network, which is late by some milliseconds, never the same.
        await bench.Postgres.Execute(node.Connection, """
            update monitoring.heartbeat set late = false, at = date_trunc('milliseconds', at + random() * interval '15 ms'),
                received_at = date_trunc('milliseconds', at + interval '20 ms' + random() * interval '30 ms')
            """);
        await bench.Postgres.Execute(node.Connection, "vacuum full monitoring.heartbeat");
        var wide = await node.Size("heartbeat") / (double)day.Samples;
        var began = Stopwatch.GetTimestamp();
        while (await node.Get<Compaction>().Compact(CancellationToken.None) > 0)
        {
        }

        var took = Stopwatch.GetElapsedTime(began);
        await node.Get<Retention>().CleanUp(CancellationToken.None);
        await bench.Postgres.Execute(node.Connection, "vacuum");
        var packed = (await node.Size("heartbeat") + await node.Size("heartbeat_hour")) / (double)day.Samples;
        var rolled = (double)(await node.Size("metrics_minute") + await node.Size("metrics_hour") + await node.Size("metrics_day")) / day.Samples;
        Bench.Say($"  {day.Samples:N0} samples: {Figure.Number(wide)} bytes each as rows, {Figure.Number(packed)} packed, {Figure.Number(rolled)} more rolled up; "
            + $"packed at {day.Servers * FleetDay.Beats / took.TotalSeconds:N0} beats/s");
        yield return new Figure("bytes stored per sample after compaction of a day", "B", packed, "Prometheus on the same data", reference, packed / reference, 0.6, false);
    }

    private static async Task Send(MonitoringNode node, FleetDay day, DateTimeOffset start)
    {
        var ingestion = node.Get<Ingestion>();
        await Parallel.ForAsync(0, day.Servers, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (server, cancellationToken) =>
        {
            var id = Guid.CreateVersion7();
            for (var first = 0; first < FleetDay.Beats; first += BeatsInAReport)
            {
                var beats = Enumerable.Range(first, BeatsInAReport).Select(beat => day.Beat(server, beat, start.AddSeconds(30 * beat)));
                await ingestion.Accept(id, new HeartbeatReport { Epoch = id.ToString("n"), Now = TimeProvider.System.GetUtcNow(), Beats = [.. beats] }, cancellationToken);
            }
        });
    }

    /// <returns>Bytes of its blocks.</returns>
    private static async Task<long> Prometheus(FleetDay day, DateTimeOffset start, string folder)
    {
        var (text, blocks) = (Path.Combine(folder, "day.txt"), Path.Combine(folder, "blocks"));
        Directory.CreateDirectory(blocks);
        await day.Write(text, start);
        // Blocks of a day, as it would itself make of those of two hours: they are smaller.
        using var promtool = Process.Start(new ProcessStartInfo("promtool", ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", "--quiet", text, blocks])
        {
            RedirectStandardError = true,
        })!;
        var said = await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        File.Delete(text);
        return promtool.ExitCode == 0
            ? new DirectoryInfo(blocks).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length)
            : throw new InvalidOperationException($"promtool tsdb create-blocks-from openmetrics ended with {promtool.ExitCode}: {said}");
    }
}
