using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Servers;

public static class ServersRegistration
{
    public static IServiceCollection AddServers(this IServiceCollection services) =>
        services.AddSingleton<HostCredentials>().AddSingleton<Servers>().AddSingleton<ServerOverview>().AddSingleton<ServerRemoval>()
            .AddSingleton(new StoredSecrets(Servers.CredentialPurpose, "select id, credential, xmin from servers.server"))
            .AddSingleton(new StoredSecrets(Servers.TokenPurpose, "select id, report_token, xmin from servers.server"));
}
