using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Commands;

public static class CommandsRegistration
{
    public static IServiceCollection AddCommands(this IServiceCollection services) => services.AddSingleton<CommandCatalogue>().AddSingleton<ServerCommands>().AddSingleton<RequestedCommands>();
}
