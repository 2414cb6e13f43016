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
        var beat = 0;
        await Write(node, day, servers, ++beat, 0); // every spool has its row; connections and code are warm
        var rows = await Rows(node);
        await Empty(bench, node, servers);
        var pair = await bench.SideBySide(
            async () =>
            {
                var took = await Copy(node, rows);
                await Empty(bench, node, servers);
                return servers / took;
            },
            async () =>
            {
                // A tenth is sent a second time.
                var took = await Write(node, day, servers, ++beat, servers / 10);
                await Empty(bench, node, servers);
                return servers / took;
            }, bench.Quick ? 1 : 5);
        return Figure.Rate($"batch writer alone, {servers:N0} servers, one beat a report, duplicates recognised", "rows/s", "COPY into the same table", pair, 0.5);
    }

    /// <summary>Both write into an empty table, after what was written is there once.</summary>
    private static async Task Empty(Bench bench, MonitoringNode node, int servers)
    {
        await using var count = node.Database.CreateCommand("select count(*) from monitoring.heartbeat");
        if (await count.ExecuteScalarAsync() is var stored && !Equals(stored, (long)servers))
        {
            throw new InvalidOperationException($"Not every heartbeat is there exactly once: {servers} written, {stored} stored.");
        }

        foreach (var sql in new[] { "truncate monitoring.heartbeat", "vacuum monitoring.source", "checkpoint" })
        {
            await bench.Postgres.Execute(node.Connection, sql);
        }
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

    /// <returns>Seconds.</returns>
    private static async Task<double> Copy(MonitoringNode node, byte[] rows)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        var columns = await Columns(connection);
        var began = Stopwatch.GetTimestamp();
        await using (var copy = await connection.BeginRawBinaryCopyAsync($"copy monitoring.heartbeat ({columns}) from stdin (format binary)"))
        {
            await copy.WriteAsync(rows);
        }

        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task<string> Columns(NpgsqlConnection connection)
    {
        await using var ask = new NpgsqlCommand("""
            select string_agg(attname, ', ' order by attnum)
            from pg_attribute where attrelid = 'monitoring.heartbeat'::regclass and attnum > 0 and not attisdropped
            """, connection);
        return (string)(await ask.ExecuteScalarAsync())!;
    }
}
