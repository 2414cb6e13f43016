using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>How full a subnet is, and when it will be.</summary>
/// <param name="Subnet">As in <c>192.0.2.0/24</c>.</param>
/// <param name="Total">Addresses in its pools.</param>
/// <param name="Assigned">Leased, those that are reserved outside of the pools and those that were declined included.</param>
/// <param name="Declined">Found in use by somebody else.</param>
/// <param name="Share">Assigned by total; null without pools.</param>
/// <param name="At">When Kea told.</param>
/// <param name="PerDay">By how much it has grown or shrunk a day, by a straight line through the last week; null where less than a day is known.</param>
/// <param name="FullAt">When it is full if it goes on like this; null where it does not grow, or not within a year.</param>
public sealed record SubnetFigures(string Subnet, long Total, long Assigned, long Declined, double? Share, DateTimeOffset At, double? PerDay, DateTimeOffset? FullAt);

/// <summary>Questions about the addresses that DHCP servers give away.</summary>
public sealed class DhcpSubnets(NpgsqlDataSource database, TimeProvider time)
{
    private static readonly TimeSpan Past = TimeSpan.FromDays(7);
    private static readonly TimeSpan Known = TimeSpan.FromDays(1);
    private const double Horizon = 365;

    private sealed record Row(string Subnet, long Total, long Assigned, long Declined, DateTime At, double? PerSecond);

    /// <summary>As Kea told last, the fullest first.</summary>
    public async Task<IReadOnlyList<SubnetFigures>> List(Guid serverId, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition("""
            with past as (
                select subnet, regr_slope(assigned, extract(epoch from at)) as slope, max(at) - min(at) as known
                from monitoring.dhcp_subnet where server_id = @serverId and at >= @since group by subnet)
            select s.subnet::text as "Subnet", s.total as "Total", s.assigned as "Assigned", s.declined as "Declined", s.at as "At", case when p.known >= @Known then p.slope end as "PerSecond"
            from monitoring.dhcp_subnet s left join past p using (subnet)
            where s.server_id = @serverId and s.at = (select max(at) from monitoring.dhcp_subnet where server_id = @serverId)
            """, new { serverId, since = (now - Past).UtcDateTime, Known }, cancellationToken: cancellationToken));
        return [.. rows.Select(r => Of(r, now)).OrderByDescending(s => s.Share).ThenBy(s => s.Subnet, StringComparer.Ordinal)];
    }

    private static SubnetFigures Of(Row row, DateTimeOffset now)
    {
        var perDay = row.PerSecond * 86_400;
        var days = perDay > 0 ? Math.Max(0, row.Total - row.Assigned) / perDay : null;
        return new SubnetFigures(row.Subnet, row.Total, row.Assigned, row.Declined, row.Total == 0 ? null : Math.Round((double)row.Assigned / row.Total, 4), row.At,
            perDay is { } growth ? Math.Round(growth, 2) : null, row.Total > 0 && days <= Horizon ? now.AddDays(days.Value) : null);
    }
}
