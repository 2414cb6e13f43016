using System.Diagnostics;
using ManagedServers.Bench.Monitoring;
using ManagedServers.Workflows.Monitoring;
using Npgsql;

namespace ManagedServers.Bench.Ingest;

/// <summary>The batch writer alone, fed from memory, beside PostgreSQL's COPY of the same rows into the same table with the same indexes.</summary>
internal static class WriterFigures
{
    private const int Servers = 100_000;

    public static async Task<Figure> Measure(Bench bench)
    {
        await using var node = await MonitoringNode.Start(bench.Postgres);
        var servers = bench.Of(Servers);
        var day = new FleetDay(Math.Min(100, servers));
        var (beat, sent) = (0, 0L);
        await Write(node, day, servers, ++beat, 0); // every spool has its row; connections and code are warm
        sent += servers;
        byte[] rows = await Rows(node);
        var pair = await bench.SideBySide(
            async () =>
            {
                var began = Stopwatch.GetTimestamp();
                var copied = await Copy(node, rows);
                var rate = copied / Stopwatch.GetElapsedTime(began).TotalSeconds;
                await bench.Postgres.Execute(node.Connection, "delete from monitoring.heartbeat where source_id = 0; vacuum monitoring.heartbeat; checkpoint");
                return rate;
            },
            async () =>
            {
                // A tenth is sent a second time.
                var took = await Write(node, day, servers, ++beat, servers / 10);
                sent += servers;
                await bench.Postgres.Execute(node.Connection, "vacuum monitoring.source; checkpoint");
                return servers / took;
            }, bench.Quick ? 1 : 5);
        await using var count = node.Database.CreateCommand("select count(*) from monitoring.heartbeat where source_id <> 0");
        var stored = (long)(await count.ExecuteScalarAsync())!;
        return stored == sent
            ? Figure.Rate($"batch writer alone, {servers:N0} servers, one beat a report, duplicates recognised", "rows/s", "COPY into the same table", pair, 0.5)
            : throw new InvalidOperationException($"Not every heartbeat is there exactly once: {sent} written, {stored} stored.");
    }

    /// <returns>Seconds.</returns>
    private static async Task<double> Write(MonitoringNode node, FleetDay day, int servers, int beat, int again)
    {
        var now = TimeProvider.System.GetUtcNow();
        var options = node.Get<MonitoringOptions>();
        var deliveries = Enumerable.Range(0, servers).Concat(Enumerable.Range(0, again)).Select(server => HeartbeatRules.Check(
            SimulatedFleet.Id(server), new HeartbeatReport { Epoch = SimulatedFleet.Id(server).ToString("n"), Now = now, Beats = [day.Beat(server % day.Servers, beat, now) with { Seq = beat }] }, now, options)).ToList();
        GC.Collect();
        var queue = node.Get<IntakeQueue>();
        var began = Stopwatch.GetTimestamp();
        foreach (var delivery in deliveries)
        {
            queue.Enqueue(delivery);
        }

        var answers = await Task.WhenAll(deliveries.Select(d => d.Done.Task));
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return answers.Sum(a => a.Duplicates) == again ? took : throw new InvalidOperationException("Duplicates were not recognised.");
    }

    /// <summary>What the writer has written, as PostgreSQL's own binary COPY reads it.</summary>
    private static async Task<byte[]> Rows(MonitoringNode node)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        await using var copy = await connection.BeginRawBinaryCopyAsync($"copy (select {await Columns(connection)} from monitoring.heartbeat) to stdout (format binary)");
        using var rows = new MemoryStream();
        await copy.CopyToAsync(rows);
        return rows.ToArray();
    }

    private static async Task<long> Copy(MonitoringNode node, byte[] rows)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        var columns = (await Columns(connection)).Replace("0::bigint as ", "", StringComparison.Ordinal);
        await using (var copy = await connection.BeginRawBinaryCopyAsync($"copy monitoring.heartbeat ({columns}) from stdin (format binary)"))
        {
            await copy.WriteAsync(rows);
        }

        await using var count = new NpgsqlCommand("select count(*) from monitoring.heartbeat where source_id = 0", connection);
        return (long)(await count.ExecuteScalarAsync())!;
    }

    private static async Task<string> Columns(NpgsqlConnection connection)
    {
        await using var ask = new NpgsqlCommand("""
            select string_agg(case attname when 'source_id' then '0::bigint as source_id' else attname end, ', ' order by attnum)
            from pg_attribute where attrelid = 'monitoring.heartbeat'::regclass and attnum > 0 and not attisdropped
            """, connection);
        return (string)(await ask.ExecuteScalarAsync())!;
    }
}
