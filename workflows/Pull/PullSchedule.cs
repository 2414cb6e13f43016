using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Pull;

/// <summary>Sees to it that there are sweeps while there is a server to read, at the interval of the monitoring settings, and none otherwise. A pause stays.</summary>
internal sealed class PullSchedule(PulledServers pulled, CurrentMonitoring current, ISchedules schedules, TimeProvider time, ILogger<PullSchedule> log) : BackgroundService
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(5);

    // Also where the product ends before it has begun, because another part of it could not start: that is told by that part alone.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        (bool Any, TimeSpan Every)? made = null;
        try
        {
            while (true)
            {
                try
                {
                    var wanted = (await pulled.Any(stoppingToken), current.PullInterval);
                    if (wanted != made)
                    {
                        await (wanted.Item1 ? Make(wanted.PullInterval, stoppingToken) : Remove(stoppingToken));
                        made = wanted;
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogWarning(e, "The schedule {Name} could not be made as it is to be; the next turn tries again", PollStatisticsWorkflow.Kind);
                }

                await Task.Delay(Turn, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task Make(TimeSpan every, CancellationToken cancellationToken)
    {
        if ((await schedules.Get(PollStatisticsWorkflow.Kind, cancellationToken))?.Every != every)
        {
            await schedules.Save(new ScheduleSettings
            {
                Name = PollStatisticsWorkflow.Kind, Title = "Fetch the statistics of hosts over SSH", Kind = PollStatisticsWorkflow.Kind,
                Input = JsonSerializer.SerializeToElement(new PollStatisticsInput(), EngineJson.Options), Every = every,
            }, "product", null, cancellationToken);
        }
    }

    private async Task Remove(CancellationToken cancellationToken)
    {
        if (await schedules.Get(PollStatisticsWorkflow.Kind, cancellationToken) is not null)
        {
            await schedules.Remove(PollStatisticsWorkflow.Kind, "product", "no server is read by pull any more", cancellationToken);
        }
    }
}
