using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Drift;

public static class DriftRegistration
{
    public static IServiceCollection AddDrift(this IServiceCollection services) => services
        .AddSingleton<DriftFindings>()
        .AddSingleton<HostStates>()
        .AddSingleton<DriftLook>()
        .AddSingleton<DriftAnswers>()
        .AddHostedService<DriftSchedule>();
}
