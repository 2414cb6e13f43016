using System.Data;
using System.Globalization;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Questions about who asked for which name.</summary>
public sealed class Hits(NpgsqlDataSource database, TimeProvider time)
{
    // Idle monitors send a sample a minute; two missed ones, and the collector counts as gone.
    private static readonly TimeSpan SampleExpected = TimeSpan.FromSeconds(150);

    private sealed class Row
    {
        public long Id { get; init; }
        public required string Zone { get; init; }
        public required string Name { get; init; }
        public required string Type { get; init; }
        public long Count { get; init; }
        public long Total { get; init; }
        public DateTime LastAt { get; init; }
    }

    private sealed class CoverageRow
    {
        public long Named { get; init; }
        public long Queries { get; init; }
        public long Other { get; init; }
        public bool? Connected { get; init; }
        public DateTime? LastSampleAt { get; init; }
    }

    /// <summary>Every name ever asked that matches, also those without a hit in the period.</summary>
    /// <exception cref="InvalidInputException">A period that ends before it starts, a type that no record has, a limit that is not 1 to 1000, a cursor that is none.</exception>
    public async Task<HitsPage> List(Guid serverId, HitsQuery query, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow();
        var (from, to) = Period(query, now);
        var arguments = Arguments(serverId, query, from, to);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        // One moment for names and coverage: a batch that is committed in between would make them disagree.
        await using var moment = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var rows = (await connection.QueryAsync<Row>(new CommandDefinition($"""
            with hit as (
                select name_id, sum(count)::bigint as count from monitoring.dns_hit
                where server_id = @serverId and at >= @from and at < @to group by name_id),
            named as (
                select n.id, n.zone, n.name, n.type, coalesce(h.count, 0) as count, n.total, n.last_at
                from monitoring.dns_name n left join hit h on h.name_id = n.id
                where n.server_id = @serverId
                    and (@zone::text is null or n.zone like @zone escape '!')
                    and (@name::text is null or n.name like @name escape '!')
                    and (@type::text is null or n.type like @type escape '!'))
            select id as "Id", zone as "Zone", name as "Name", type as "Type", count as "Count", total as "Total", last_at as "LastAt"
            from named {Order(query.Sort)} limit @limit + 1
            """, arguments, moment, cancellationToken: cancellationToken))).AsList();
        var coverage = await Coverage(connection, moment, serverId, from, to, now, cancellationToken);
        return new HitsPage(from, to, coverage,
            [.. rows.Take(query.Limit).Select(r => new Hit(r.Zone, r.Name, r.Type, r.Count, r.Total, r.LastAt))],
            rows.Count > query.Limit ? Next(query.Sort, rows[query.Limit - 1]) : null);
    }

    private static async Task<HitsCoverage> Coverage(
        NpgsqlConnection connection, NpgsqlTransaction moment, Guid serverId, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var row = await connection.QuerySingleAsync<CoverageRow>(new CommandDefinition("""
            select coalesce(sum(named), 0)::bigint as "Named", coalesce(sum(queries), 0)::bigint as "Queries", coalesce(sum(other), 0)::bigint as "Other",
                (select connected from monitoring.dns_state where server_id = @serverId) as "Connected",
                (select last_sample_at from monitoring.dns_state where server_id = @serverId) as "LastSampleAt"
            from monitoring.dns_minute where server_id = @serverId and at >= @from and at < @to
            """, new { serverId, from = from.UtcDateTime, to = to.UtcDateTime }, moment, cancellationToken: cancellationToken));
        // Knot tells a name up to a second after it has counted the query, so at the edge of a period a name may stand without its query. It was one.
        var queries = Math.Max(row.Queries, row.Named);
        double? share = queries == 0 ? null : Math.Round((double)row.Named / queries, 4);
        var connected = row.Connected == true && now.UtcDateTime - row.LastSampleAt < SampleExpected;
        return new HitsCoverage(row.Named, queries, row.Other, share, connected, row.LastSampleAt);
    }

    private static object Arguments(Guid serverId, HitsQuery query, DateTimeOffset from, DateTimeOffset to)
    {
        var cursor = Cursor.Parse(query.After, query.Sort.ToString(), "after");
        return new
        {
            serverId,
            from = from.UtcDateTime,
            to = to.UtcDateTime,
            zone = Pattern(query.Zone?.ToLowerInvariant(), "zone", absolute: true),
            name = Pattern(query.Name?.ToLowerInvariant(), "name", absolute: true),
            type = Pattern(RecordTypes.Asked("type", query.Type), "type", absolute: false),
            limit = query.Limit is >= 1 and <= 1000 ? query.Limit : throw new InvalidInputException("limit", "A number from 1 to 1000."),
            first = cursor is null,
            id = cursor?.Id ?? 0,
            number = query.Sort is HitSort.Count or HitSort.Total ? cursor?.Number("after") : null,
            last = query.Sort is HitSort.Last ? cursor?.Time("after") : null,
            word = cursor?.Value,
        };
    }

    private static string Order(HitSort sort) => sort switch
    {
        HitSort.Count => "where @first or (count, id) < (@number::bigint, @id) order by count desc, id desc",
        HitSort.Total => "where @first or (total, id) < (@number::bigint, @id) order by total desc, id desc",
        HitSort.Last => "where @first or (last_at, id) < (@last::timestamptz, @id) order by last_at desc, id desc",
        HitSort.Name => "where @first or (name, id) > (@word::text, @id) order by name, id",
        _ => throw new InvalidInputException("sort", "count, total, last or name."),
    };

    private static string Next(HitSort sort, Row row) => new Cursor(sort.ToString(), sort switch
    {
        HitSort.Count => row.Count.ToString(CultureInfo.InvariantCulture),
        HitSort.Total => row.Total.ToString(CultureInfo.InvariantCulture),
        HitSort.Last => row.LastAt.Ticks.ToString(CultureInfo.InvariantCulture),
        _ => row.Name,
    }, row.Id).ToString();

    private static (DateTimeOffset From, DateTimeOffset To) Period(HitsQuery query, DateTimeOffset now)
    {
        var to = query.To ?? now;
        // A date near the calendar's start has no day before it.
        var from = query.From ?? (to.UtcTicks > TimeSpan.TicksPerDay ? to.AddDays(-1) : to);
        return from <= to && to.UtcDateTime.Year < 9999
            ? (Floor(from), Floor(to.AddTicks(TimeSpan.TicksPerMinute - 1)))
            : throw new InvalidInputException("to", "A period ends after it starts, and before the year 9999.");
    }

    private static DateTimeOffset Floor(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static string? Pattern(string? text, string field, bool absolute)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (text.Length > 1020 || text.Any(c => c is < '!' or > '~'))
        {
            throw new InvalidInputException(field, "Printable ASCII without spaces; other bytes are written as in a zone file, as in \\032. '*' stands for anything.");
        }

        var whole = absolute && text[^1] is not ('.' or '*') ? text + "." : text;
        return whole.Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal)
            .Replace("_", "!_", StringComparison.Ordinal).Replace('*', '%');
    }
}
