using System.Diagnostics;
using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Bench.Monitoring;

/// <summary>Whether a question about one server costs more the more servers there are.</summary>
internal static class YearFigures
{
    private const int Few = 10;
    private const int Days = 366;
    private const int Kinds = 50; // of days, so that no two neighbours are the same

    public static async IAsyncEnumerable<Figure> Measure(Bench bench, string folder)
    {
        var many = bench.Quick ? 1000 : 10_000;
        await using var few = await MonitoringNode.Start(bench.Postgres);
        await using var full = await MonitoringNode.Start(bench.Postgres);
        await Fill(bench, few, Few);
        await Fill(bench, full, many);
        var (reference, ours) = (new List<double>(), new List<double>());
        for (var n = -10; n < bench.Of(200); n++)
        {
            var (one, other) = (await Ask(few, n % Few), await Ask(full, (n * 7919 + many) % many));
            if (n >= 0)
            {
                reference.Add(one);
                ours.Add(other);
            }
        }

        yield return Figure.Time($"a year of hourly values of one metric of {many:N0} servers, p95", $"of {Few}", Bench.Percentile(ours, 0.95), Bench.Percentile(reference, 0.95), 2);
    }

    private static async Task<double> Ask(MonitoringNode node, int server)
    {
        var now = TimeProvider.System.GetUtcNow();
        var asked = Stopwatch.GetTimestamp();
        var answer = await node.Get<Metrics>().Query(Id(Math.Abs(server)), new MetricsQuery { Metrics = ["load.1"], From = now.AddDays(-365), To = now, Points = 8760 });
        var took = Bench.Ms(asked);
        return answer.Series.Single().Points.Count(p => p.Value is not null) >= 8700 ? took : throw new InvalidOperationException("The year has holes.");
    }

    /// <summary>A row for each server and day, of one of some days that were rolled up in earnest.</summary>
    private static async Task Fill(Bench bench, MonitoringNode node, int servers)
    {
        Bench.Say($"  filling a year of {servers:N0} servers …");
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        await node.Get<DayPartitions>().Ensure(Enumerable.Range(0, Days).Select(day => (Level.Hour.Table, DateOnly.FromDateTime(today.AddDays(-day)))), CancellationToken.None);
        await using (var connection = await node.Database.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("create table bench_day (kind integer primary key, data bytea not null)");
            var day = new FleetDay(Kinds);
            for (var kind = 0; kind < Kinds; kind++)
            {
                await connection.ExecuteAsync("insert into bench_day values (@kind, @data)", new { kind, data = Day(day, kind) });
            }
        }

        await bench.Postgres.Execute(node.Connection, $"""
            insert into monitoring.metrics_hour (server_id, at, data)
            select ('01900000-0000-7000-8000-' || lpad(to_hex(server), 12, '0'))::uuid, day, data
            from generate_series('{today:yyyy-MM-dd}'::timestamptz - interval '{Days - 1} days', '{today:yyyy-MM-dd}'::timestamptz, interval '1 day') day
            cross join generate_series(0, {servers - 1}) server
            join bench_day on kind = (server + extract(doy from day)::integer * 7) % {Kinds}
            order by day, server
            """);
        await bench.Postgres.Execute(node.Connection, "vacuum analyze monitoring.metrics_hour");
        await bench.Postgres.Execute(node.Connection, "checkpoint");
    }

    private static byte[] Day(FleetDay day, int kind)
    {
        var start = DateTimeOffset.UnixEpoch;
        var hours = new Rollups(Level.Hour);
        for (var hour = 0; hour < 24; hour++)
        {
            var beats = Enumerable.Range(hour * 120, 120).Select(beat => Stored(day.Beat(kind, beat, start.AddSeconds(30 * beat))));
            hours.Replace(hour, Rollups.Minutes(beats).Whole());
        }

        return hours.Pack();
    }

    private static StoredHeartbeat Stored(Heartbeat beat) => new(
        beat.Seq!.Value, beat.SentAt!.Value, beat.SentAt.Value, false, null, null, beat.Load, beat.Memory, null, beat.Disks!.OfType<DiskUse>().ToList(), beat.Connections, null, null,
        null, null, beat.Network!.OfType<NetworkUse>().ToList());

    private static Guid Id(int server) => Guid.Parse($"01900000-0000-7000-8000-{server:x12}");
}
