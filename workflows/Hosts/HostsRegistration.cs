using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Hosts;

public static class HostsRegistration
{
    /// <summary>Registers <see cref="IHosts"/>. Options: an own <see cref="HostsOptions"/> registered before.</summary>
    public static IServiceCollection AddHosts(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new HostsOptions());
        services.AddSingleton<IHosts>(s => new HostPool(s.GetRequiredService<HostsOptions>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<HostPool>>()));
        return services;
    }
}
