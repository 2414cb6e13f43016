using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ManagedServers.Workflows.Monitoring;

public static class MonitoringRegistration
{
    /// <summary>Needs an <c>NpgsqlDataSource</c>. The writer, the packing and the clean-up run as hosted services, after the migrations.</summary>
    public static IServiceCollection AddMonitoring(this IServiceCollection services, MonitoringOptions? options = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options ?? new MonitoringOptions());
        services.TryAddSingleton<ProductSettings>();
        services.AddSingleton<SettingsModule>(MonitoringSettings.Module).AddSingleton<SettingsModule>(MonitoringServices.Module);
        services.AddSingleton<CurrentMonitoring>().AddHostedService(s => s.GetRequiredService<CurrentMonitoring>());
        services.AddSingleton<IntakeQueue>();
        services.AddSingleton<DayPartitions>();
        services.AddSingleton(s => new Ingestion(s.GetRequiredService<IntakeQueue>(), s.GetRequiredService<MonitoringOptions>(), s.GetRequiredService<CurrentMonitoring>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<Heartbeats>();
        services.AddSingleton<Hits>();
        services.AddSingleton<UnaskedNames>();
        services.AddSingleton<DhcpSubnets>();
        services.AddSingleton<Metrics>();
        services.AddSingleton<MonitoringData>();
        services.AddSingleton<Retention>();
        services.AddSingleton<Compaction>();
        services.AddHostedService<BatchWriter>();
        services.AddHostedService(s => s.GetRequiredService<Retention>());
        services.AddHostedService(s => s.GetRequiredService<Compaction>());
        return services;
    }
}
