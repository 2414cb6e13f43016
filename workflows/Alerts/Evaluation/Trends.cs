using Dapper;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <summary>
/// How fast what will be full is growing: once an hour the line of least squares through the hourly means of the last day, out of the packed roll-ups of all servers, a
/// thousand of them at a time. A rule looks only at what is kept of it.
/// </summary>
public sealed class Trends(NpgsqlDataSource database, TimeProvider time, ILogger<Trends> logger)
{
    // "mstr" in ASCII.
    private const long LockKey = 0x6D737472;
    private const int ServersAtOnce = 1000;

    // Fewer hours are no trend.
    private const int FewestHours = 4;
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private static readonly TimeSpan Past = TimeSpan.FromHours(24);

    /// <summary>Where they are due and a rule needs them.</summary>
    public async Task Refresh(CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow().UtcDateTime;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var wanted = (await connection.QueryAsync<string>(new CommandDefinition("""
            select distinct r.metric from alerts.rule r where r.enabled and r.kind = 'forecast'
                and exists (select from alerts.evaluation where trends_at is null or trends_at <= @due or trends_at > @now)
                and pg_try_advisory_xact_lock(@LockKey)
            """, new { due = now - Every, now, LockKey }, transaction, cancellationToken: cancellationToken)))
            .Select(MetricSql.Parse).OfType<RuleMetric>().Select(m => m.Metric).DistinctBy(m => m.Number).ToDictionary(m => m.Number);
        if (wanted.Count == 0)
        {
            return;
        }

        await connection.ExecuteAsync("delete from alerts.trend", transaction: transaction);
        Guid[] servers;
        var last = Guid.Empty;
        do
        {
            servers = [.. await connection.QueryAsync<Guid>(new CommandDefinition(
                "select distinct c.server_id from servers.component c where c.server_id > @last order by 1 limit @ServersAtOnce", new { last, ServersAtOnce }, transaction, cancellationToken: cancellationToken))];
            await Keep(connection, transaction, await Growing(connection, transaction, servers, wanted, now, cancellationToken), wanted);
            last = servers.LastOrDefault();
        }
        while (servers.Length == ServersAtOnce);
        await KeepSubnets(connection, transaction, [.. wanted.Values.Where(m => MetricSql.Parse(m.Name)!.Sql.IsOfSubnet).Select(m => m.Name)], now, cancellationToken);
        await connection.ExecuteAsync("update alerts.evaluation set trends_at = @now", new { now }, transaction);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<List<(Guid Server, SeriesKey Key, double PerSecond)>> Growing(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid[] servers, Dictionary<int, Metric> wanted, DateTime now, CancellationToken cancellationToken)
    {
        var from = now - Past;
        var blocks = await connection.QueryAsync<(Guid Server, DateTime At, byte[] Data)>(new CommandDefinition(
            "select server_id, at, data from monitoring.metrics_hour where server_id = any(@servers) and at >= @day", new { servers, day = Level.Hour.Block(from) }, transaction, cancellationToken: cancellationToken));
        List<(Guid, SeriesKey, double)> growing = [];
        foreach (var server in blocks.GroupBy(b => b.Server))
        {
            var points = new Dictionary<SeriesKey, List<(double X, double Y)>>();
            foreach (var block in server)
            {
                try
                {
                    Add(points, block.At, Rollups.Unpack(Level.Hour, block.Data, key => wanted.ContainsKey(key.Metric)), from, now);
                }
                catch (InvalidDataException exception)
                {
                    logger.LogWarning("What is stored of server {Server} of {Day:u} cannot be read, and is no part of its forecast: {Reason}", block.Server, block.At, exception.Message);
                }
            }

            growing.AddRange(points.Where(p => p.Value.Count >= FewestHours).Select(p => (server.Key, p.Key, Slope(p.Value))).Where(p => p.Item3 > 0));
        }

        return growing;
    }

    /// <summary>Those stand as rows by the minute.</summary>
    private static Task KeepSubnets(NpgsqlConnection connection, NpgsqlTransaction transaction, string[] metrics, DateTime now, CancellationToken cancellationToken) =>
        metrics.Length == 0 ? Task.CompletedTask : connection.ExecuteAsync(new CommandDefinition("""
            insert into alerts.trend (server_id, metric, label, per_second)
            select server_id, metric, label, slope from (
                select s.server_id, m.metric, s.subnet::text as label, regr_slope(m.value, extract(epoch from s.at)) as slope, max(s.at) - min(s.at) as known
                from monitoring.dhcp_subnet s cross join lateral (values (@total, s.total), (@assigned, s.assigned), (@declined, s.declined)) m(metric, value)
                where s.at >= @from and s.at < @now and m.metric = any(@metrics) group by 1, 2, 3) line
            where slope > 0 and known >= @fewest
            """, new
        {
            metrics, from = now - Past, now, fewest = TimeSpan.FromHours(FewestHours),
            total = MetricCatalogue.DhcpTotal.Name, assigned = MetricCatalogue.DhcpAssigned.Name, declined = MetricCatalogue.DhcpDeclined.Name,
        }, transaction, cancellationToken: cancellationToken));

    private static void Add(Dictionary<SeriesKey, List<(double X, double Y)>> points, DateTime at, Rollups block, DateTime from, DateTime now)
    {
        foreach (var (key, hours) in block.Series)
        {
            for (var hour = 0; hour < hours.Length; hour++)
            {
                var begins = at + hour * Level.Hour.Bucket;
                if (hours[hour] is { } value && begins >= from && begins < now)
                {
                    (points.TryGetValue(key, out var list) ? list : points[key] = []).Add(((begins - from).TotalSeconds, (double)value.Total / value.Count));
                }
            }
        }
    }

    internal static double Slope(IReadOnlyList<(double X, double Y)> points)
    {
        var (x, y) = (points.Average(p => p.X), points.Average(p => p.Y));
        var spread = points.Sum(p => (p.X - x) * (p.X - x));
        return spread == 0 ? 0 : points.Sum(p => (p.X - x) * (p.Y - y)) / spread;
    }

    private static Task Keep(NpgsqlConnection connection, NpgsqlTransaction transaction, List<(Guid Server, SeriesKey Key, double PerSecond)> growing, Dictionary<int, Metric> wanted) =>
        connection.ExecuteAsync("insert into alerts.trend (server_id, metric, label, per_second) select * from unnest(@servers, @metrics, @labels, @slopes)", new
        {
            servers = growing.Select(g => g.Server).ToArray(), metrics = growing.Select(g => wanted[g.Key.Metric].Name).ToArray(),
            labels = growing.Select(g => g.Key.Label ?? "").ToArray(), slopes = growing.Select(g => wanted[g.Key.Metric].Unscale(g.PerSecond)).ToArray(),
        }, transaction);
}
