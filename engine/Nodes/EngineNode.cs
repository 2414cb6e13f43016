using Dapper;
using Hangfire;
using Hangfire.AspNetCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Starts and stops everything that a node does, in the order that loses nothing.</summary>
internal sealed class EngineNode(
    IServiceProvider services, NpgsqlDataSource database, NodeIdentity node, NodeLease lease, LiveRuns runs, Recovery recovery, Sweeper sweeper, ScheduleWatch schedules,
    RunLogs logs, LogDays logDays, Notifier notifier, Listener listener, EngineOptions options, TimeProvider time, IHostApplicationLifetime host, ILogger<EngineNode> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource background = new();
    private readonly List<Task> loops = [];
    private NodeWorkers? workers;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        KeepThreads();
        await Migrator.Apply(database, typeof(EngineNode).Assembly, cancellationToken);
        var hangfire = services.GetRequiredService<HangfireStorage>();
        await logDays.Prepare();
        loops.AddRange([listener.Run(background.Token), notifier.Run(background.Token)]);
        if (options.Workers == 0)
        {
            return;
        }

        lease.NameLost = host.StopApplication;
        lease.Hold();
        await recovery.EndPredecessor();
        await Register(cancellationToken);
        loops.AddRange([logs.Run(background.Token), sweeper.Run(background.Token), schedules.Run(background.Token)]);
        workers = new NodeWorkers(() => new BackgroundJobServer(ServerOptions(), hangfire.Storage));
        lease.Draining = workers.Drain;
        await recovery.TakeBackOwn();
        await recovery.Pump(TimeSpan.Zero);
        logger.LogInformation("Node {Node} executes runs with {Workers} workers.", node.Name, options.Workers);
    }

    /// <summary>Stops claiming, lets steps go on for a while, cancels the rest, and gives the name back last.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        node.Stopping = true;
        workers?.Stop();
        await Until(() => runs.Count == 0, options.StopGrace, cancellationToken);
        if (runs.Count > 0)
        {
            logger.LogWarning("Node {Node} stops and cancels {Count} steps that did not end within {Grace}; their runs are queued again.", node.Name, runs.Count, options.StopGrace);
            runs.Stop(StopCause.NodeStops);
            await Until(() => runs.Count == 0, options.LetGo, cancellationToken);
        }

        await background.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        workers?.Dispose();
        await Unregister();
        lease.Release();
    }

    public void Dispose()
    {
        background.Cancel();
        background.Dispose();
    }

    private BackgroundJobServerOptions ServerOptions() => new()
    {
        ServerName = node.Name,
        Queues = RunQueue.Names,
        WorkerCount = options.Workers,
        // Retries with a long wait come back through Hangfire's scheduler; its default of 15 s would be most of the wait.
        SchedulePollingInterval = TimeSpan.FromSeconds(1),
        ShutdownTimeout = TimeSpan.FromSeconds(2),
        StopTimeout = TimeSpan.Zero,
        Activator = new AspNetCoreJobActivator(services.GetRequiredService<IServiceScopeFactory>()),
    };

    // Steps may block their threads. The pool grows by one or two a second only, and what everything else waits for would queue behind them.
    private void KeepThreads()
    {
        ThreadPool.GetMinThreads(out var least, out var ports);
        ThreadPool.SetMinThreads(Math.Max(least, options.Workers + 16), ports);
    }

    private async Task Until(Func<bool> done, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!done() && time.GetElapsedTime(started) < limit && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task Register(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("""
            insert into engine.node (name, incarnation, workers) values (@Name, @Incarnation, @Workers)
            on conflict (name) do update set incarnation = excluded.incarnation, workers = excluded.workers, draining = false, started_at = now(), seen_at = now(), stopped_at = null
            """, new { node.Name, node.Incarnation, options.Workers });
    }

    private async Task Unregister()
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync();
            await connection.ExecuteAsync("update engine.node set stopped_at = now() where name = @Name and incarnation = @Incarnation", new { node.Name, node.Incarnation });
        }
        catch (Exception fault)
        {
            logger.LogDebug(fault, "Node {Node} could not note that it stopped.", node.Name);
        }
    }
}
