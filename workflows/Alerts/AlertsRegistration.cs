using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Alerts;

public static class AlertsRegistration
{
    /// <summary>Rules, and what is found: without anything that runs by itself, or needs the engine.</summary>
    public static IServiceCollection AddAlertRules(this IServiceCollection services) => services
        .AddSingleton<SettingsModule>(AlertSettings.Module)
        .AddSingleton<AlertRules>()
        .AddSingleton<AlertList>()
        .AddSingleton<ServerHealths>()
        .AddSingleton<Maintenance>()
        .AddSingleton<Trends>()
        .AddSingleton<AlertEvaluation>();
}
