using Dapper;
using ManagedServers.Workflows.Configuration;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Which of a server's names nobody asks for, so that an operator may let them go: with how well it was listened, because silence alone proves nothing.</summary>
public sealed class UnaskedNames(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Names of the zones that the server serves from its own zone files. What lies below a delegation is another server's.</summary>
    /// <param name="dns">What it serves; null for nothing.</param>
    /// <exception cref="InvalidInputException">A number of days, a limit or a cursor that is none.</exception>
    public async Task<UnaskedPage> List(Guid serverId, DnsConfiguration? dns, UnaskedQuery query, CancellationToken cancellationToken = default)
    {
        if (query.Days is < 1 or > 3660)
        {
            throw new InvalidInputException("days", "must be 1 to 3660");
        }

        var limit = query.Limit is >= 1 and <= 1000 ? query.Limit : throw new InvalidInputException("limit", "must be 1 to 1000");
        var after = Cursor.Parse(query.After, nameof(UnaskedNames), "after")?.Value;
        var now = time.GetUtcNow();
        var from = now.AddDays(-query.Days);
        var zone = query.Zone?.TrimEnd('.').ToLowerInvariant();
        var zones = (dns?.Zones ?? []).Where(z => z.File is not null && (zone is null || z.Name == zone)).ToList();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        List<UnaskedName> unasked = [];
        foreach (var served in zones.OrderBy(z => z.Name, StringComparer.Ordinal))
        {
            unasked.AddRange(await Of(connection, serverId, served, from.UtcDateTime, cancellationToken));
        }

        var rest = after is null ? unasked : [.. unasked.SkipWhile(n => string.CompareOrdinal(Key(n), after) <= 0)];
        var next = rest.Count > limit ? new Cursor(nameof(UnaskedNames), Key(rest[limit - 1]), 0).ToString() : null;
        return new UnaskedPage(from, now, await Listened(connection, serverId, from, now, cancellationToken), unasked.Count,
            [.. (dns?.Zones ?? []).Where(z => z.File is null && (zone is null || z.Name == zone)).Select(z => z.Name + ".")], [.. rest.Take(limit)], next);
    }

    private static string Key(UnaskedName name) => $"{name.Zone} {name.Name}";

    private static async Task<IReadOnlyList<UnaskedName>> Of(NpgsqlConnection connection, Guid serverId, Zone served, DateTime from, CancellationToken cancellationToken)
    {
        var apex = ZoneName.Parse(served.Name).Absolute;
        var entries = ZoneFile.Entries(served.File!, served.Name).ToList();
        var cuts = entries.Where(e => e.Type == "NS" && e.Owner != apex).Select(e => e.Owner).ToHashSet();
        var owners = entries.Where(e => !Parents(e.Owner).Any(cuts.Contains)).GroupBy(e => e.Owner).OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Select(e => e.Type).Distinct().Order(StringComparer.Ordinal).ToList());
        var asked = await LastAccess(connection, serverId, apex, [.. owners.Keys], [.. cuts], cancellationToken);
        return [.. owners.Where(o => !(asked.TryGetValue(o.Key, out var last) && last >= from))
            .Select(o => new UnaskedName(apex, o.Key, o.Value, asked.TryGetValue(o.Key, out var last) ? last : null))];
    }

    private static IEnumerable<string> Parents(string name)
    {
        for (var dot = Dot(name, 0); dot >= 0 && dot + 1 < name.Length; dot = Dot(name, dot + 1))
        {
            yield return name[(dot + 1)..];
        }
    }

    private static int Dot(string name, int from)
    {
        for (var i = from; i < name.Length; i++)
        {
            if (name[i] == '.')
            {
                return i;
            }

            i += name[i] == '\\' ? 1 : 0;
        }

        return -1;
    }

    /// <summary>A wildcard is asked for with what stands for itself nowhere, a delegation with anything below it.</summary>
    private static async Task<Dictionary<string, DateTime>> LastAccess(
        NpgsqlConnection connection, Guid serverId, string zone, string[] owners, string[] cuts, CancellationToken cancellationToken)
    {
        var covering = owners.Where(o => o.StartsWith("*.", StringComparison.Ordinal)).Select(o => (Owner: o, Below: o[1..])).Concat(cuts.Select(c => (Owner: c, Below: "." + c))).ToList();
        return (await connection.QueryAsync<(string Name, DateTime Last)>(new CommandDefinition("""
            with asked as (select name, max(last_at) as last from monitoring.dns_name where server_id = @serverId and zone = @zone group by name)
            select name, last from (
                select name, last from asked where name = any(@owners)
                union all
                select c.owner, max(a.last) from unnest(@covers, @below) as c(owner, below) join asked a on right(a.name, length(c.below)) = c.below and a.name <> all(@owners) group by 1) found
            """, new { serverId, zone, owners, covers = covering.Select(c => c.Owner).ToArray(), below = covering.Select(c => c.Below).ToArray() }, cancellationToken: cancellationToken)))
            .GroupBy(r => r.Name).ToDictionary(g => g.Key, g => g.Max(r => r.Last));
    }

    private static async Task<Listened> Listened(NpgsqlConnection connection, Guid serverId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var (since, minutes, named, queries) = await connection.QuerySingleAsync<(DateTime? Since, long Minutes, long Named, long Queries)>(new CommandDefinition("""
            select min(at), count(*), coalesce(sum(named), 0)::bigint, coalesce(sum(queries), 0)::bigint from monitoring.dns_minute where server_id = @serverId and at >= @from and at < @to
            """, new { serverId, from = from.UtcDateTime, to = to.UtcDateTime }, cancellationToken: cancellationToken));
        var most = Math.Max(queries, named);
        return new Listened(since, Math.Round(Math.Min(1, minutes / (to - from).TotalMinutes), 4), named, most, most == 0 ? null : Math.Round((double)named / most, 4));
    }
}
