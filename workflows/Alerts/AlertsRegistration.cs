using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Alerts;

public static class AlertsRegistration
{
    /// <summary>After monitoring and RabbitMQ; the engine knows <see cref="NotifyWorkflow"/>. Evaluates as a hosted service.</summary>
    public static IServiceCollection AddAlerts(this IServiceCollection services) => services
        .AddAlertRules()
        .AddSingleton(s => new Deliveries(
            new WebhookDelivery(s.GetRequiredService<TimeProvider>()), new TopicDelivery(s.GetRequiredService<RabbitMqSettingsStore>()), s.GetRequiredService<AlertChannels>(), s.GetRequiredService<TimeProvider>()))
        .AddSingleton<NotificationRuns>()
        .AddHostedService<AlertService>();

    /// <summary>Rules, channels, and what is found: without anything that runs by itself, or needs the engine.</summary>
    public static IServiceCollection AddAlertRules(this IServiceCollection services) => services
        .AddSingleton<SettingsModule>(AlertSettings.Module)
        .AddSingleton<AlertRules>()
        .AddSingleton<AlertPreviews>()
        .AddSingleton<AlertList>()
        .AddSingleton<ServerHealths>()
        .AddSingleton<Maintenance>()
        .AddSingleton<Trends>()
        .AddSingleton<AlertEvaluation>()
        .AddSingleton<AlertChannels>()
        .AddSingleton(new StoredSecrets(AlertChannels.Purpose, "select id, secret, xmin from alerts.channel"));
}
