using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.RabbitMq;

public static class RabbitMqRegistration
{
    /// <summary>After monitoring, whose writer it feeds: so it stops before it.</summary>
    public static IServiceCollection AddRabbitMq(this IServiceCollection services, RabbitMqOptions options) => services
        .AddSingleton(options)
        .AddMemoryCache()
        .AddSingleton<RabbitMqNodes>()
        .AddSingleton<RabbitMqSettingsStore>()
        .AddSingleton<RabbitMqTester>()
        .AddSingleton<StatisticsMessages>()
        .AddSingleton(new StoredSecrets(RabbitMqSettingsStore.Purpose, "select id, password, xmin from settings.rabbitmq"))
        .AddSingleton(new StoredSecrets(RabbitMqSettingsStore.HostPurpose, "select id, host_password, xmin from settings.rabbitmq"))
        .AddHostedService<StatisticsConsumer>();
}
