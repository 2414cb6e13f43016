using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Counts what ended, and removes what is older than it is kept, in batches; one node at a time.</summary>
internal sealed class Housekeeping(NpgsqlDataSource database, LogDays logDays, WorkflowCatalog catalog, EngineOptions options, TimeProvider time, ILogger<Housekeeping> logger)
{
    // Any number will do as long as nobody else uses it; "mshk" in ASCII.
    private const long Lock = 0x6D73686B;
    private const int Batch = 1000;

    // Small enough that a sweep is not held up; what is left goes with the next one.
    private const int BatchesAtOnce = 20;

    // A run ends with the clock of its transaction's begin; one that committed late still belongs to its minute.
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);


    // They go by the day: there is no hurry.
    private static readonly TimeSpan LogInterval = TimeSpan.FromHours(1);

    private long lastAt;
    private long logsAt;

    public async Task Keep()
    {
        if (lastAt != 0 && time.GetElapsedTime(lastAt) < Interval)
        {
            return;
        }

        lastAt = time.GetTimestamp();
        await logDays.Prepare();
        if (await KeepRows() && (logsAt == 0 || time.GetElapsedTime(logsAt) >= LogInterval))
        {
            await logDays.Drop(options.KeepLogs);
            logsAt = time.GetTimestamp();
        }
    }

    /// <summary>False: another node does it.</summary>
    private async Task<bool> KeepRows()
    {
        await using var connection = await database.OpenConnectionAsync();
        if (!await connection.ExecuteScalarAsync<bool>("select pg_try_advisory_lock(@Lock)", new { Lock }))
        {
            return false;
        }

        try
        {
            await Count(connection);
            await RemoveRoutine(connection);
            await RemoveRuns(connection);
            await connection.ExecuteAsync("""
                delete from engine.stat_minute where minute < now() - @KeepStatistics;
                delete from engine.node where stopped_at < now() - @KeepRuns or seen_at < now() - @KeepRuns
                """, new { options.KeepStatistics, options.KeepRuns });
        }
        finally
        {
            await connection.ExecuteAsync("select pg_advisory_unlock(@Lock)", new { Lock });
        }

        return true;
    }

    /// <summary>From the last minute counted, less what may come late, to the last that is over.</summary>
    private static Task<int> Count(NpgsqlConnection connection) => connection.ExecuteAsync("""
        insert into engine.stat_minute (minute, kind, succeeded, failed, cancelled, steps, worked, longest)
        select date_trunc('minute', finished_at), kind, count(*) filter (where state = 'succeeded'), count(*) filter (where state = 'failed'),
               count(*) filter (where state = 'cancelled'), sum(steps_done), sum(worked), max(finished_at - coalesce(started_at, finished_at))
        from engine.run
        where finished_at >= coalesce((select max(minute) from engine.stat_minute) - @Late, (select date_trunc('minute', min(finished_at)) from engine.run))
          and finished_at < date_trunc('minute', now())
        group by 1, 2
        on conflict (minute, kind) do update set succeeded = excluded.succeeded, failed = excluded.failed, cancelled = excluded.cancelled,
               steps = excluded.steps, worked = excluded.worked, longest = excluded.longest
        """, new { Late });

    /// <summary>What is kept for hours only. What was retried between the look and the lock stays, as below.</summary>
    private async Task RemoveRoutine(NpgsqlConnection connection)
    {
        var routine = catalog.Routine;
        if (routine.Count > 0)
        {
            await connection.ExecuteAsync("""
                with old as (
                    select r.id, k.kept from engine.run r join unnest(@kinds, @kept) k (kind, kept) on r.kind = k.kind
                    where r.finished_at < now() - k.kept and r.parent is null and not exists (select from engine.run c where c.parent = r.id)
                    order by r.finished_at limit @most),
                held as (select id, finished_at from engine.run where id in (select id from old) and finished_at is not null for update skip locked)
                delete from engine.run r using old o, held h where r.id = o.id and h.id = o.id and h.finished_at < now() - o.kept
                """, new { kinds = routine.Select(r => r.Kind).ToArray(), kept = routine.Select(r => r.Kept).ToArray(), most = Batch * BatchesAtOnce });
        }
    }

    private async Task RemoveRuns(NpgsqlConnection connection)
    {
        var removed = 0;
        for (var batch = 0; batch < BatchesAtOnce; batch++)
        {
            // From the leaves: a parent, whose step names its children and whose key they may work under, stays until none of them is left. A retry that is not
            // committed yet holds the row of its run: that one stays, and so do its children. What was retried between the look and the lock is seen as it is
            // under the lock.
            var now = await connection.ExecuteAsync("""
                with old as (
                    select id, parent from engine.run r where finished_at < now() - @KeepRuns
                      and not exists (select from engine.run p where p.id = r.parent and p.finished_at is null)
                      and not exists (select from engine.run c where c.parent = r.id)
                    order by finished_at limit @Batch),
                held as (
                    select id, finished_at from engine.run where id in (select id from old union select parent from old) and finished_at is not null
                    for update skip locked)
                delete from engine.run r using old o, held h
                where r.id = o.id and h.id = o.id and h.finished_at < now() - @KeepRuns
                  and (exists (select from held p where p.id = o.parent) or not exists (select from engine.run p where p.id = o.parent))
                """, new { options.KeepRuns, Batch });
            removed += now;
            if (now == 0)
            {
                break;
            }
        }

        if (removed > 0)
        {
            logger.LogInformation("{Count} runs that ended more than {Days} days ago were removed.", removed, options.KeepRuns.TotalDays);
        }
    }
}
