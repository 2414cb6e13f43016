using System.Collections.Concurrent;
using System.Globalization;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>
/// Makes and drops the days (UTC) of the partitioned tables, months and years of those that grow slowly: each is dropped whole, so clean-up costs nothing
/// and leaves no holes.
/// </summary>
internal sealed class DayPartitions(NpgsqlDataSource database)
{
    public const string Heartbeat = "heartbeat";
    public const string HeartbeatHour = "heartbeat_hour";
    public static readonly string[] Packed = [HeartbeatHour, .. Level.All.Select(level => level.Table)];

    /// <summary>What monitors count.</summary>
    public static readonly string[] Counts = ["dns_hit", "dns_minute", "count_minute", "dhcp_subnet"];

    // "msmp" in ASCII; two nodes making, or dropping, the same day would fail on each other.
    private const long LockKey = 0x6D736D70;

    // Of a table without rows: the first page of its index.
    private const long FreshSize = 8192;
    private readonly ConcurrentDictionary<(string, DateOnly), bool> known = new();

    public async Task Ensure(IEnumerable<(string Table, DateOnly Day)> wanted, CancellationToken cancellationToken)
    {
        var missing = wanted.Select(w => (w.Table, Day: Start(w.Table, w.Day))).Where(w => !known.ContainsKey(w)).Distinct().ToList();
        if (missing.Count == 0)
        {
            return;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        foreach (var (table, day) in missing)
        {
            // One at a time: making a partition locks its table, and holding two of those against a writer would end in a deadlock.
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteAsync("select pg_advisory_xact_lock(@LockKey)", new { LockKey }, transaction);
            // Names and bounds are ours (a constant and a date), so they may stand in the text.
            await connection.ExecuteAsync($"""
                create table if not exists monitoring.{Name(table, day)} partition of monitoring.{table}
                for values from ('{day:yyyy-MM-dd} 00:00:00+00') to ('{End(table, day):yyyy-MM-dd} 00:00:00+00')
                """, transaction: transaction);
            await transaction.CommitAsync(cancellationToken);
            known[(table, day)] = true;
        }
    }

    /// <summary>Drops what ended before <paramref name="before"/>.</summary>
    public async Task<int> Drop(string table, DateOnly before, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var names = await connection.QueryAsync<string>("""
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = ('monitoring.' || @table)::regclass and c.relname < @first order by 1
            """, new { table, first = Name(table, Start(table, before)) });
        var dropped = 0;
        foreach (var name in names)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteAsync("select pg_advisory_xact_lock(@LockKey)", new { LockKey }, transaction);
            // A long query holds the parent: come back later rather than make every writer queue behind us.
            await connection.ExecuteAsync($"set local lock_timeout = '3s'; drop table if exists monitoring.{name}", transaction: transaction);
            await transaction.CommitAsync(cancellationToken);
            dropped++;
        }

        return dropped;
    }

    /// <summary>Gives back the room of days of which nothing is left: what was deleted row by row leaves its pages and those of its index behind.</summary>
    public async Task Shrink(string table, DateOnly before, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var names = await connection.QueryAsync<string>(new CommandDefinition("""
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = ('monitoring.' || @table)::regclass and c.relname < @first and pg_relation_size(c.oid) + pg_indexes_size(c.oid) > @fresh order by 1
            """, new { table, first = Name(table, Start(table, before)), fresh = FreshSize }, cancellationToken: cancellationToken));
        foreach (var name in names)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            // A late beat waits for the look and then has its place: a day is not dropped here, because other nodes know that it is there.
            await connection.ExecuteAsync(new CommandDefinition($"""
                set local lock_timeout = '3s';
                lock table monitoring.{name} in access exclusive mode;
                do $$ begin if not exists (select from monitoring.{name}) then truncate monitoring.{name}; end if; end $$
                """, transaction: transaction, cancellationToken: cancellationToken));
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private static DateOnly Start(string table, DateOnly day) =>
        table == Level.Hour.Table ? new DateOnly(day.Year, day.Month, 1) : table == Level.Day.Table ? new DateOnly(day.Year, 1, 1) : day;

    private static DateOnly End(string table, DateOnly start) =>
        table == Level.Hour.Table ? start.AddMonths(1) : table == Level.Day.Table ? start.AddYears(1) : start.AddDays(1);

    private static string Name(string table, DateOnly day) => table + "_p" + day.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
}
