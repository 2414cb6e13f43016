using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Credentials;

public static class CredentialsRegistration
{
    public static IServiceCollection AddCredentials(this IServiceCollection services) =>
        services.AddSingleton<PendingCredentials>().AddSingleton<CredentialRotation>()
            .AddSingleton(new StoredSecrets(PendingCredentials.Purpose, "select id, credential, xmin from servers.pending_credential"))
            .AddSingleton(new StoredSecrets(PendingCredentials.PreviousPurpose, "select id, previous, xmin from servers.pending_credential"));
}
