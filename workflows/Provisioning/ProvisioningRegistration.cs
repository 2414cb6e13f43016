using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Provisioning;

public static class ProvisioningRegistration
{
    /// <param name="imagesFolder">Folder with the images and their manifests.</param>
    /// <param name="reportAddress">The product's default address for hosts.</param>
    public static IServiceCollection AddProvisioning(this IServiceCollection services, string imagesFolder, ReportAddress reportAddress) => services
        .AddSingleton(new ImageCatalogue(imagesFolder))
        .AddSingleton(reportAddress)
        .AddSingleton<PayloadFiles>()
        .AddSingleton<Configurations>()
        .AddSingleton(new StoredSecrets(Configurations.KeyPurpose,
            "select c.id, k ->> 'secret', c.xmin from servers.configuration c cross join lateral json_array_elements(c.document -> 'keys') k where c.component = 'dns'"))
        .AddSingleton<ConfigurationChanges>()
        .AddSingleton<ConfigurationHistory>()
        .AddSingleton<PreparedRuns>()
        .AddSingleton<RunChanges>()
        .AddSingleton<StoredPlans>()
        .AddSingleton<Preflight>()
        .AddSingleton<HostTest>()
        .AddSingleton<DhcpLeases>()
        .AddSingleton<Installation>()
        .AddSingleton<Lifecycle>();
}
