using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>The settings that hold now: read before anything is accepted, at once after a change on this node, and every few seconds for those of other nodes.</summary>
public sealed class CurrentMonitoring(ProductSettings settings, TimeProvider time, ILogger<CurrentMonitoring> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim changed = new(0);
    private volatile Held held = new(new MonitoringSettings(), new MonitoringServices());

    public TimeSpan HeartbeatInterval => TimeSpan.FromSeconds(held.Settings.HeartbeatIntervalSeconds);

    /// <summary>What the heartbeat bar looks back on.</summary>
    public TimeSpan Window => TimeSpan.FromSeconds(held.Settings.WindowSeconds);

    /// <summary>Beats in the window of a healthy server.</summary>
    public int HealthyCount => held.Settings.HealthyCount;

    /// <summary>Between two sweeps over the hosts whose statistics are fetched.</summary>
    public TimeSpan PullInterval => TimeSpan.FromSeconds(held.Settings.PullIntervalSeconds);

    public TimeSpan HeartbeatsKept => TimeSpan.FromDays(held.Settings.HeartbeatsKeptDays);

    public TimeSpan MinutesKept => TimeSpan.FromDays(held.Settings.MinutesKeptDays);

    public TimeSpan HoursKept => TimeSpan.FromDays(held.Settings.HoursKeptDays);

    public TimeSpan DaysKept => TimeSpan.FromDays(held.Settings.DaysKeptDays);

    public TimeSpan HitsKept => TimeSpan.FromDays(held.Settings.HitsKeptDays);

    public int NamesPerServer => held.Services.NamesPerServer;

    internal SenderSettings Agent => held.Agent;

    internal SenderSettings Monitor => held.Monitor;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        settings.Changed += () => changed.Release();
        await Refresh(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        changed.Dispose();
        base.Dispose();
    }

    // Also where the product ends before it has begun, because another part of it could not start: that is told by that part alone.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // One that is kept: a waiter left behind by the interval would take a later change for itself.
            var change = changed.WaitAsync(stoppingToken);
            while (true)
            {
                await Task.WhenAny(change, Task.Delay(Interval, time, stoppingToken)).Unwrap();
                change = change.IsCompleted ? changed.WaitAsync(stoppingToken) : change;
                try
                {
                    await Refresh(stoppingToken);
                }
                catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
                {
                    logger.LogWarning("The monitoring settings could not be read, going on with those of before: {Reason}", exception.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task Refresh(CancellationToken cancellationToken) =>
        held = new Held(await settings.Read(MonitoringSettings.Module, cancellationToken), await settings.Read(MonitoringServices.Module, cancellationToken));

    private sealed record Held(MonitoringSettings Settings, MonitoringServices Services)
    {
        public SenderSettings Agent { get; } = SenderSettings.OfAgent(Settings, Services);

        public SenderSettings Monitor { get; } = SenderSettings.OfMonitor(Settings, Services);
    }
}
