using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.HostKeys;

public static class HostKeysRegistration
{
    public static IServiceCollection AddHostKeys(this IServiceCollection services) => services.AddSingleton<HostKeyApproval>();
}
