using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace ManagedServers.Engine;

/// <summary>
/// Holds the node's name and renews the lease of all its runs by one statement, on a thread and a connection of its own, so that neither a full pool
/// of connections nor one of threads can cost the lease. A second thread fences the node off when renewals stay away.
/// </summary>
internal sealed class NodeLease(EngineDatabase database, NodeIdentity node, LiveRuns runs, EngineOptions options, ILogger<NodeLease> logger) : IDisposable
{
    // Any number will do as long as nobody else uses it; "msnd" in ASCII. The second key is made from the node's name.
    private const int NameLock = 0x6D736E64;

    // A killed process's session ends within moments; one that is still there after this belongs to a process that lives.
    private static readonly TimeSpan NamePatience = TimeSpan.FromSeconds(5);
    // At the start there is no lease yet that could run out.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(15);
    // For all runs together whose rows are locked: the others' next renewal must not wait for them.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan NameRetry = TimeSpan.FromMilliseconds(50);

    private readonly ManualResetEventSlim stop = new(false);
    private NpgsqlConnection? connection;
    private Thread? renewing;
    private Thread? watching;
    private int formerSession;

    /// <summary>Called when another process has taken the name while the database was away: this one must end.</summary>
    public Action NameLost { get; set; } = () => { };

    /// <summary>Called with each renewal: whether operators let the node run dry.</summary>
    public Action<bool> Draining { get; set; } = _ => { };

    /// <summary>Takes the name.</summary>
    /// <exception cref="InvalidOperationException">Another process holds it.</exception>
    public void Hold()
    {
        var started = Stopwatch.GetTimestamp();
        while (!TryConnect(StartPatience))
        {
            if (Stopwatch.GetElapsedTime(started) > NamePatience)
            {
                throw new InvalidOperationException(
                    $"Another process runs as node '{node.Name}' on this database. Give each node a name of its own, or stop the other one.");
            }

            stop.Wait(NameRetry);
        }

        renewing = Start(Renew, "engine lease");
        watching = Start(Watch, "engine fence");
    }

    /// <summary>Gives the name back; the last thing that a node does.</summary>
    public void Release()
    {
        stop.Set();
        renewing?.Join();
        watching?.Join();
        Disconnect();
    }

    public void Dispose()
    {
        Release();
        stop.Dispose();
    }

    private static Thread Start(Action body, string name)
    {
        var thread = new Thread(() => body()) { Name = name, IsBackground = true, Priority = ThreadPriority.AboveNormal };
        thread.Start();
        return thread;
    }

    private void Renew()
    {
        var wait = options.LeaseRenewal;
        while (!stop.Wait(wait))
        {
            // Measured from before the send: the database may have worked on it only just before the answer.
            var asked = Stopwatch.GetTimestamp();
            try
            {
                if (connection is null && !TryConnect(options.LeaseRenewal))
                {
                    if (NameTaken())
                    {
                        logger.LogCritical("Another process has taken the name of node {Node} while the database was away. This one ends.", node.Name);
                        runs.Stop(StopCause.LeaseLost);
                        NameLost();
                        return;
                    }

                    wait = NameRetry;
                    continue;
                }

                RenewOnce(asked);
                wait = options.LeaseRenewal;
            }
            catch (Exception fault)
            {
                logger.LogWarning("The lease of node {Node} could not be renewed: {Why}", node.Name, fault.Message);
                Disconnect();
                wait = options.LeaseRenewal / 6;
            }
        }
    }

    /// <summary>
    /// After a cut the server may not have noticed yet that our former session is gone, and that session holds our name. Then it is ended;
    /// a name is taken only when another incarnation is registered under it.
    /// </summary>
    private bool NameTaken()
    {
        using var look = database.Dedicated($"engine node {node.Name}", options.LeaseRenewal);
        look.Open();
        using var ask = new NpgsqlCommand("""
            select pg_terminate_backend(l.pid) from pg_locks l, pg_stat_activity a
            where l.locktype = 'advisory' and l.granted and l.classid = @space and l.objid::bigint = hashtext(@name)::bigint & x'ffffffff'::bigint
              and l.pid = @former and a.pid = l.pid and a.application_name = @application;
            select exists (select from engine.node where name = @name and incarnation <> @incarnation)
            """, look);
        ask.Parameters.AddWithValue("space", NpgsqlDbType.Oid, (uint)NameLock);
        ask.Parameters.AddWithValue("name", node.Name);
        ask.Parameters.AddWithValue("former", formerSession);
        ask.Parameters.AddWithValue("application", $"engine node {node.Name}");
        ask.Parameters.AddWithValue("incarnation", node.Incarnation);
        using var answer = ask.ExecuteReader();
        answer.NextResult();
        return answer.Read() && answer.GetBoolean(0);
    }

    private void RenewOnce(long asked)
    {
        var mine = runs.All;
        using var renew = new NpgsqlCommand("""
            update engine.node set seen_at = now() where name = @name and incarnation = @incarnation returning draining;
            with free as (
                select r.id from engine.run r join unnest(@ids, @fences) as m (id, fence) on r.id = m.id and r.fence = m.fence where r.state = 'running'
                order by r.id for update of r skip locked)
            update engine.run r set lease_until = now() + @lease from free where r.id = free.id returning r.id, r.fence;
            select r.id, r.fence, r.cancel_mode from engine.run r join unnest(@ids, @fences) as m (id, fence) on r.id = m.id and r.fence = m.fence where r.state = 'running'
            """, connection) { CommandTimeout = Math.Max(1, (int)options.LeaseRenewal.TotalSeconds) };
        renew.Parameters.AddWithValue("name", node.Name);
        renew.Parameters.AddWithValue("incarnation", node.Incarnation);
        renew.Parameters.AddWithValue("lease", options.Lease);
        renew.Parameters.AddWithValue("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid, mine.Select(r => r.Id).ToArray());
        renew.Parameters.AddWithValue("fences", NpgsqlDbType.Array | NpgsqlDbType.Bigint, mine.Select(r => r.Fence).ToArray());
        var renewed = new HashSet<(Guid, long)>();
        var kept = new Dictionary<(Guid, long), string?>();
        using (var reader = renew.ExecuteReader())
        {
            if (reader.Read())
            {
                Draining(reader.GetBoolean(0));
            }

            reader.NextResult();
            while (reader.Read())
            {
                renewed.Add((reader.GetGuid(0), reader.GetInt64(1)));
            }

            reader.NextResult();
            while (reader.Read())
            {
                kept[(reader.GetGuid(0), reader.GetInt64(1))] = reader.IsDBNull(2) ? null : reader.GetString(2);
            }
        }

        foreach (var run in mine)
        {
            if (renewed.Contains((run.Id, run.Fence)))
            {
                run.Renewed(asked);
            }
            else if (kept.ContainsKey((run.Id, run.Fence)) && Stopwatch.GetElapsedTime(asked) < Patience)
            {
                RenewAlone(run);
            }

            if (!kept.TryGetValue((run.Id, run.Fence), out var cancel))
            {
                run.Stop(StopCause.LeaseLost); // taken by another node, or ended by its own last statement just now
            }
            else if (cancel is not null)
            {
                run.Stop(cancel);
            }
        }
    }

    /// <summary>One whose row was locked: by a step that ended at this moment, which is over at once, or by somebody who holds it up; nobody takes such a run over.</summary>
    private void RenewAlone(LiveRun run)
    {
        var asked = Stopwatch.GetTimestamp();
        using var renew = new NpgsqlCommand("""
            select set_config('lock_timeout', '300ms', true);
            update engine.run set lease_until = now() + @lease where id = @id and fence = @fence and state = 'running'
            """, connection);
        renew.Parameters.AddWithValue("lease", options.Lease);
        renew.Parameters.AddWithValue("id", run.Id);
        renew.Parameters.AddWithValue("fence", run.Fence);
        try
        {
            renew.ExecuteNonQuery();
            run.Renewed(asked);
        }
        catch (PostgresException held) when (held.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            logger.LogDebug("Run {Run} is held up by a lock; its lease is renewed with the next.", run.Id);
        }
    }

    private void Watch()
    {
        var look = TimeSpan.FromMilliseconds(Math.Min(250, options.SelfFencing.TotalMilliseconds / 10));
        while (!stop.Wait(look))
        {
            foreach (var run in runs.All.Where(r => r.Cause != StopCause.LeaseLost && Stopwatch.GetElapsedTime(r.RenewedAt) > options.SelfFencing))
            {
                logger.LogError("Node {Node} could not renew its lease for {Time}: it cancels run {Run} before another node takes it.",
                    node.Name, Words.Duration(options.SelfFencing), run.Id);
                run.Stop(StopCause.LeaseLost);
            }
        }
    }

    private bool TryConnect(TimeSpan patience)
    {
        var made = database.Dedicated($"engine node {node.Name}", patience);
        try
        {
            made.Open();
            using var take = new NpgsqlCommand("select pg_try_advisory_lock(@space, hashtext(@name))", made);
            take.Parameters.AddWithValue("space", NameLock);
            take.Parameters.AddWithValue("name", node.Name);
            if ((bool)take.ExecuteScalar()!)
            {
                connection = made;
                formerSession = made.ProcessID;
                return true;
            }

            made.Dispose();
            return false;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    private void Disconnect()
    {
        connection?.Dispose();
        connection = null;
    }
}
