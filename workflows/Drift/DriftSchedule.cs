using System.Text.Json;
using ManagedServers.Engine;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Drift;

/// <summary>Sees to it that hosts are looked at by themselves. What an operator has changed about the schedule stays; one that was removed comes back at the next start, one that was paused stays paused.</summary>
internal sealed class DriftSchedule(ISchedules schedules, ILogger<DriftSchedule> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await schedules.Get(CheckDriftWorkflow.Kind, cancellationToken) is null)
            {
                await schedules.Save(new ScheduleSettings
                {
                    Name = CheckDriftWorkflow.Kind, Title = "Compare all servers with what was asked", Kind = CheckDriftWorkflow.Kind,
                    Input = JsonSerializer.SerializeToElement(new CheckDriftInput(), EngineJson.Options),
                    Every = TimeSpan.FromMinutes(15), Jitter = TimeSpan.FromMinutes(2), Priority = RunPriority.Low,
                }, "product", null, cancellationToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Serving goes before looking.
            log.LogError(e, "The schedule {Name} could not be made; the next start tries again", CheckDriftWorkflow.Kind);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
