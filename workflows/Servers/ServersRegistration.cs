using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Servers;

public static class ServersRegistration
{
    // Not the report tokens: every token is known by its shape.
    public static IServiceCollection AddServers(this IServiceCollection services) =>
        services.AddSingleton<HostCredentials>().AddSingleton<Servers>().AddSingleton<ServerOverview>().AddSingleton<ServerRemoval>()
            .AddSingleton(new StoredSecrets(Servers.CredentialPurpose, "select id, credential, xmin from servers.server"));
}
