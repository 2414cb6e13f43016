using ManagedServers.Engine;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ManagedServers.Workflows.Settings;

public static class SettingsRegistration
{
    /// <summary>Secrets at rest and the redactor. The master key is opened before, because a node without it must not start.</summary>
    public static IServiceCollection AddSettings(this IServiceCollection services, MasterKey masterKey)
    {
        services.AddSingleton(masterKey);
        services.AddDataProtection().SetApplicationName("managed-servers");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>, KeyRingOptions>();
        services.AddSingleton<SecretRedactor>();
        services.AddSingleton<IRedactor>(s => s.GetRequiredService<SecretRedactor>());
        services.AddSingleton<Secrets>();
        // Before the engine's, so that no run begins while a secret is unknown.
        services.AddSingleton<KnownSecrets>().AddHostedService(s => s.GetRequiredService<KnownSecrets>());
        return services;
    }
}
