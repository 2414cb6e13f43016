using System.CommandLine;
using System.CommandLine.Help;
using ManagedServers.Cli.Commands.Access;
using ManagedServers.Cli.Commands.Alerts;
using ManagedServers.Cli.Commands.Commands;
using ManagedServers.Cli.Commands.Config;
using ManagedServers.Cli.Commands.Drift;
using ManagedServers.Cli.Commands.Monitoring;
using ManagedServers.Cli.Commands.Routes;
using ManagedServers.Cli.Commands.Runs;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Commands.Settings;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands;

/// <summary>All commands.</summary>
internal static class Root
{
    public static RootCommand Build()
    {
        var root = new RootCommand("msctl turns Linux hosts into DNS servers and keeps an eye on them: the command line of Managed Servers.")
        {
            LoginCommand.Build(),
            LogoutCommand.Build(),
            WhoAmICommand.Build(),
            Group("tokens", "See and end the tokens with which msctl and programs sign in.", TokenCommands.List(), TokenCommands.Revoke()),
            Group(
                "servers", "Add hosts, install components on them, start and stop those, remove them.",
                AddServerCommand.Build(), ListServersCommand.Build(), ShowServerCommand.Build(), TestServerCommand.Build(), InstallCommand.Build(), EnrolCommand.Build(),
                EditServerCommand.Build(), RotateCredentialCommand.Build(), HostKeyCommand.Build(), ControlCommands.Start(), ControlCommands.Stop(), ControlCommands.Restart(), RunCommandsCommand.Build(), UninstallCommand.Build(), RemoveServerCommand.Build(), ServerCommandsCommand.Build(), MetricsCommand.Build()),
            Group(
                "routes", "Store chains of jump hosts through which servers are reached.",
                AddRouteCommand.Build(), ListRoutesCommand.Build(), ShowRouteCommand.Build(), TestRouteCommand.Build(), EditRouteCommand.Build(), RemoveRouteCommand.Build()),
            Group(
                "commands", "The catalogue of commands that may be run on hosts, by themselves or around changes.",
                CatalogueCommands.List(), CatalogueCommands.Show(), CatalogueCommands.Add(), CatalogueCommands.Edit(), CatalogueCommands.Remove()),
            Group(
                "config", "See and change what servers serve; every version is kept.",
                ShowConfigCommand.Build(), ApplyConfigCommand.Build(), VersionsCommand.Build(), DiffCommand.Build(), RestoreCommand.Build()),
            Group(
                "drift", "See where hosts are not as they were asked to be, and answer it.",
                ListDriftCommand.Build(), DriftActions.Check(), DriftActions.Reapply(), DriftActions.Accept()),
            Group(
                "alerts", "See what is wrong on servers, say what is watched, and who is told.",
                ListAlertsCommand.Build(), ListAlertsCommand.HealthOf(),
                Group("rules", "What is watched.", RuleCommands.List(), RuleCommands.Show(), RuleCommands.Add(), RuleCommands.Edit(), RuleCommands.Remove(), RuleCommands.Preview()),
                Group("maintenance", "When nobody is told.", MaintenanceCommands.List(), MaintenanceCommands.Add(), MaintenanceCommands.End()),
                Group("channels", "Who is told.", ChannelCommands.List(), ChannelCommands.Add(), ChannelCommands.Edit(), ChannelCommands.Remove(), ChannelCommands.Test())),
            Group(
                "runs", "See what the product does and did, and answer when it waits for you.",
                ListRunsCommand.Build(), ShowRunCommand.Build(), WatchRunCommand.Build(), LogCommand.Build(), CancelRunCommand.Build(), RetryRunCommand.Build(), SkipStepCommand.Build(),
                DecideCommand.Approve(), DecideCommand.Reject(), SignalCommand.Build(), PriorityCommand.Build()),
            Group(
                "settings", "What holds for the whole product.",
                SettingsCommands.List(), SettingsCommands.Show(), SettingsCommands.Set(), SettingsCommands.History(),
                Group("rabbitmq", "The broker over which monitors may send what they count.", RabbitMqCommands.Show(), RabbitMqCommands.Set(), RabbitMqCommands.Test())),
            HeartbeatsCommand.Build(),
            HitsCommand.Build(),
            UnaskedCommand.Build(),
            Group("dhcp", "See the addresses that servers give away.", DhcpCommands.Subnets(), DhcpCommands.Leases()),
            VersionCommand.Build(),
            CompletionCommand.Build(),
        };
        foreach (var option in GlobalOptions.All)
        {
            root.Add(option);
        }

        var help = root.Options.OfType<HelpOption>().Single();
        (help.Action, help.Description) = (new HelpText(), "Show help.");
        help.Aliases.Clear();
        help.Aliases.Add("-h");
        root.SetAction(parse => HelpText.Write(parse.CommandResult.Command, parse.InvocationConfiguration.Output));
        return root;
    }

    private static DocumentedCommand Group(string name, string description, params Command[] commands)
    {
        var group = new DocumentedCommand(name, description).With([.. commands]);
        group.SetAction(parse => HelpText.Write(parse.CommandResult.Command, parse.InvocationConfiguration.Output));
        return group;
    }
}
