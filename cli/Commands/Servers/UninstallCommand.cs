using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Commands;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Takes everything from a host that installs have put there.</summary>
internal static class UninstallCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static DocumentedCommand Build() => new DocumentedCommand("uninstall", "Take everything from a host that installs have put there.")
    {
        Notes =
        [
            "Containers, images, zones and configuration on the host, the agent and what starts it. This cannot be undone; the server stays registered, and what was measured is kept.",
            "Asks first. For a server that is installed by hand it shows the line to run on the host, which does it.",
            StartedRuns.PlanNote,
        ],
        Examples = ["msctl servers uninstall ns1", "msctl servers uninstall ns1 --plan", "msctl servers uninstall ns1 --yes --no-watch"],
    }.With([Name, Yes, .. AroundOptions.All, ByHand.TokenFile, .. StartedRuns.Options]).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var name = call.Get(Name);
        await Sure.Ask(call, call.Get(Yes) || call.Get(StartedRuns.Plan), name, $"uninstall everything from {name}", s => $"Uninstall everything from {s.Name} ({s.Address ?? "by hand"}, {s.State})? It stops serving, and this cannot be undone.", "Nothing was uninstalled.", cancellationToken);
        return await StartedRuns.Do(call, ServersApi.Uninstall(name, AroundOptions.In(call, new CommandsRequest())), cancellationToken, server: name);
    }
}
