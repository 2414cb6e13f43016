using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>What monitors count, as series: read from the counts by the minute, which are kept as long as hits.</summary>
internal sealed class CountedSeries(NpgsqlConnection connection, Guid serverId, MetricChoice choice, MetricGrid grid, DateTime now, CancellationToken cancellationToken)
{
    private readonly TimeSpan step = TimeSpan.FromMinutes(Math.Ceiling(grid.Step.TotalMinutes));

    private sealed record Row(string What, string? Key, DateTime At, double Value, double Low, double High, long Count);

    /// <exception cref="InvalidInputException">There are more values than anybody may ask for at once.</exception>
    public async Task<IReadOnlyList<MetricSeries>> Read()
    {
        List<MetricSeries> found = [.. Counters(await Queries(), await Sampled("dns_minute")), .. await Gauges()];
        foreach (var (owner, table) in new[] { ("dns", "dns_minute"), ("dhcp", "dhcp_subnet") })
        {
            var counts = await Counts(owner);
            found.AddRange(counts.Count == 0 ? [] : Counters(counts, await Sampled(table)));
        }

        return found;
    }

    private IEnumerable<MetricSeries> Counters(IReadOnlyList<Row> rows, IReadOnlyDictionary<DateTime, long> sampled) => Series(rows, counted => Steps().Select(at =>
        counted.TryGetValue(at, out var row) ? Point(at, row.Value, sampled.GetValueOrDefault(at, 1))
            // Nothing was counted under this key where something else was.
            : sampled.TryGetValue(at, out var times) ? Point(at, 0, times)
            : new MetricPoint(new DateTimeOffset(at), null)));

    private MetricPoint Point(DateTime at, double growth, long times)
    {
        var seconds = ((at + step < now ? at + step : now) - at).TotalSeconds;
        return new MetricPoint(new DateTimeOffset(at), seconds > 0 ? Math.Round(growth / seconds, 3) : null, Increase: growth, Count: times);
    }

    private async Task<IReadOnlyList<MetricSeries>> Gauges()
    {
        var rows = await Ask("""
            select m.what as "What", s.subnet::text as "Key", date_bin(@step, s.at, @start) as "At", avg(m.value)::float8 as "Value", min(m.value)::float8 as "Low", max(m.value)::float8 as "High", count(*) as "Count"
            from monitoring.dhcp_subnet s, lateral (values (@total, s.total), (@assigned, s.assigned), (@declined, s.declined)) as m(what, value)
            where s.server_id = @serverId and s.at >= @start and s.at < @end and m.what = any(@whats) group by 1, 2, 3
            """);
        return [.. Series(rows, counted => Steps().Select(at => counted.TryGetValue(at, out var row)
            ? new MetricPoint(new DateTimeOffset(at), Math.Round(row.Value, 3), row.Low, row.High, null, row.Count) : new MetricPoint(new DateTimeOffset(at), null)))];
    }

    private Task<IReadOnlyList<Row>> Queries() => Ask("""
        select @queries as "What", null as "Key", date_bin(@step, at, @start) as "At", sum(queries)::float8 as "Value", 0::float8 as "Low", 0::float8 as "High", count(*) as "Count"
        from monitoring.dns_minute where server_id = @serverId and at >= @start and at < @end and @queries = any(@whats) group by 3
        """);

    private Task<IReadOnlyList<Row>> Counts(string owner) => Ask("""
        select what as "What", key as "Key", date_bin(@step, at, @start) as "At", sum(count)::float8 as "Value", 0::float8 as "Low", 0::float8 as "High", count(*) as "Count"
        from monitoring.count_minute where server_id = @serverId and at >= @start and at < @end and what = any(@whats) and what like @owner || '.%' group by 1, 2, 3
        """, owner);

    /// <summary>The steps in which anything was told, and how often.</summary>
    private async Task<IReadOnlyDictionary<DateTime, long>> Sampled(string table) => (await connection.QueryAsync<(DateTime At, long Count)>(new CommandDefinition(
        $"select date_bin(@step, at, @start), count(distinct at) from monitoring.{table} where server_id = @serverId and at >= @start and at < @end group by 1",
        Arguments(), cancellationToken: cancellationToken))).ToDictionary(r => r.At, r => r.Count);

    private async Task<IReadOnlyList<Row>> Ask(string sql, string? owner = null)
    {
        var rows = await connection.QueryAsync<Row>(new CommandDefinition(sql, Arguments(owner), cancellationToken: cancellationToken));
        return [.. rows.Where(r => choice.Has(new SeriesKey(MetricCatalogue.Find(r.What)!.Number, r.Key)))];
    }

    private IEnumerable<MetricSeries> Series(IReadOnlyList<Row> rows, Func<IReadOnlyDictionary<DateTime, Row>, IEnumerable<MetricPoint>> points)
    {
        var keys = rows.GroupBy(r => (r.What, r.Key)).ToList();
        Metrics.Limit(keys.Count * ((grid.End - grid.Start).Ticks / step.Ticks + 1));
        return keys.Select(k =>
        {
            var metric = MetricCatalogue.Find(k.Key.What)!;
            return new MetricSeries(metric.Name, k.Key.Key, metric.Unit, metric.Kind, [.. points(k.ToDictionary(r => r.At))]);
        });
    }

    private IEnumerable<DateTime> Steps()
    {
        for (var at = Start; at < grid.End; at += step)
        {
            yield return at;
        }
    }

    private DateTime Start => new(grid.Start.Ticks - grid.Start.Ticks % TimeSpan.TicksPerMinute, DateTimeKind.Utc);

    private object Arguments(string? owner = null) => new
    {
        serverId, step, start = Start, end = grid.End, owner,
        queries = MetricCatalogue.DnsQueries.Name, total = MetricCatalogue.DhcpTotal.Name, assigned = MetricCatalogue.DhcpAssigned.Name, declined = MetricCatalogue.DhcpDeclined.Name,
        whats = MetricCatalogue.Counted.Where(m => choice.Names(m.Number)).Select(m => m.Name).ToArray(),
    };
}
