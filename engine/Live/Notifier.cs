using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>
/// Tells all nodes which runs changed, at most every 100 ms and never inside a step's transaction: pg_notify serialises commits.
/// </summary>
internal sealed class Notifier([FromKeyedServices(EngineDatabase.HotKey)] NpgsqlDataSource database, TimeProvider time, ILogger<Notifier> logger)
{
    public const string RunsChannel = "engine_runs";
    public const string CancelChannel = "engine_cancel";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // A notification has at most 8,000 bytes; an id has 36 and a comma.
    private const int IdsPerNotification = 200;

    private readonly Lock gate = new();
    private HashSet<Guid> changed = [];
    private TaskCompletionSource any = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Changed(Guid runId)
    {
        lock (gate)
        {
            changed.Add(runId);
            any.TrySetResult();
        }
    }

    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await any.Task.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Send();
            await Task.Delay(Interval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Send();
    }

    private async Task Send()
    {
        HashSet<Guid> batch;
        lock (gate)
        {
            (batch, changed) = (changed, []);
            any = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (batch.Count == 0)
        {
            return;
        }

        try
        {
            await using var connection = await database.OpenConnectionAsync();
            foreach (var ids in batch.Chunk(IdsPerNotification))
            {
                await connection.ExecuteAsync("select pg_notify(@RunsChannel, @ids)", new { RunsChannel, ids = string.Join(',', ids) });
            }
        }
        catch (Exception fault) when (TransientFault.Is(fault))
        {
            logger.LogDebug(fault, "A notification was not sent; watchers poll.");
        }
    }
}
