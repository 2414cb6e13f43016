using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Makes the log's partitions for today and the days to come, so that a day of logs can be dropped as one.</summary>
internal sealed class LogDays(NpgsqlDataSource database, ILogger<LogDays> logger)
{
    // Any number will do as long as nobody else uses it; "msld" in ASCII.
    private const long Lock = 0x6D736C64;
    private const int Ahead = 3;

    private DateOnly prepared;

    public async Task Prepare()
    {
        await using var connection = await database.OpenConnectionAsync();
        // By the database's clock, by which the lines are kept too.
        var today = DateOnly.FromDateTime(await connection.ExecuteScalarAsync<DateTime>("select now() at time zone 'UTC'"));
        if (today == prepared)
        {
            return;
        }

        var all = true;
        for (var day = today; day < today.AddDays(Ahead); day = day.AddDays(1))
        {
            all &= await Prepare(connection, day);
        }

        prepared = all ? today : default;
    }

    /// <summary>Drops the days that are older than logs are kept. Lines of runs that have not ended move to the default partition, from which they are deleted when they have.</summary>
    public async Task Drop(TimeSpan keep)
    {
        await using var connection = await database.OpenConnectionAsync();
        var days = await connection.QueryAsync<string>("""
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'engine.log'::regclass and c.relname ~ '^log_[0-9]{8}$' and substr(c.relname, 5) < to_char((now() - @keep) at time zone 'UTC', 'YYYYMMDD')
            """, new { keep });
        foreach (var day in days)
        {
            try
            {
                await Briefly(connection, $"""
                    alter table engine.log detach partition engine.{day};
                    insert into engine.log select * from engine.{day} l where exists (select from engine.run r where r.id = l.run_id and r.finished_at is null);
                    drop table engine.{day};
                    """);
                logger.LogInformation("The runs' log of {Day} was dropped.", day[4..]);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                logger.LogInformation("The runs' log of {Day} is in use, by a backup perhaps; it is dropped later.", day[4..]);
                return;
            }
        }

        await connection.ExecuteAsync("""
            delete from engine.log_default l where at < date_trunc('day', now() - @keep, 'UTC') and not exists (select from engine.run r where r.id = l.run_id and r.finished_at is null)
            """, new { keep });
    }

    /// <summary>Whether nothing is left to be done for that day.</summary>
    private async Task<bool> Prepare(NpgsqlConnection connection, DateOnly day)
    {
        var table = $"engine.log_{day:yyyyMMdd}";
        try
        {
            if (await connection.ExecuteScalarAsync<bool>("select to_regclass(@table) is null", new { table }))
            {
                await Briefly(connection, $"""
                    select pg_advisory_xact_lock({Lock});
                    create table if not exists {table} partition of engine.log for values from ('{day:yyyy-MM-dd} 00:00Z') to ('{day.AddDays(1):yyyy-MM-dd} 00:00Z');
                    """);
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            logger.LogInformation("The log's table for {Day} could not be made while its parent is in use, by a backup perhaps; it is made later.", day);
            return false;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation)
        {
            // Nobody prepared that day in time and its first lines went to the default partition: the rest of the day goes there too.
            logger.LogWarning("The log of {Day} stays in the default partition.", day);
        }

        return true;
    }

    /// <summary>Whoever waits for the log's table lets everybody behind him wait: runs write their lines there.</summary>
    private static async Task Briefly(NpgsqlConnection connection, string statement)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("set local lock_timeout = '500ms'", transaction: transaction);
        await connection.ExecuteAsync(statement, transaction: transaction);
        await transaction.CommitAsync();
    }
}
