using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Pull;

public static class PullRegistration
{
    /// <summary>Needs the engine, with <see cref="PollStatisticsWorkflow"/> known to it, and the monitoring.</summary>
    public static IServiceCollection AddPull(this IServiceCollection services) => services
        .AddSingleton<PulledServers>()
        .AddSingleton(s => new PullSessions(s.GetRequiredService<Servers.Servers>().Connect, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<PullSessions>>()))
        .AddSingleton(s => new StatisticsPull(s.GetRequiredService<PullSessions>(), s.GetRequiredService<Ingestion>(), s.GetRequiredService<CurrentMonitoring>()))
        .AddSingleton<LastPull>()
        .AddHostedService<PullSchedule>();
}
