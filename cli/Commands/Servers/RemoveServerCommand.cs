using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Forgets a server.</summary>
internal static class RemoveServerCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<bool> Force = new("--force") { Description = "Also when components are installed or a run holds it; what runs on the host stays there." };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static DocumentedCommand Build()
    {
        var command = new DocumentedCommand("remove", "Remove a server from the product.")
        {
            Notes = ["Asks first. The product refuses while components are installed there or a run holds it, unless forced."],
            Examples = ["msctl servers remove ns1", "msctl servers remove ns1 --force --yes", "msctl servers remove ns1 --force --plan"],
        };
        command.Aliases.Add("rm");
        return command.With(Name, Force, Yes, StartedRuns.Plan).Does(Run);
    }

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var name = call.Get(Name);
        await Sure.Ask(call, call.Get(Yes) || call.Get(StartedRuns.Plan), name, $"remove {name}", s => $"Remove {s.Name} ({s.Address}, {s.State})?", "Not removed.", cancellationToken);
        return await StoredChanges.Do(call, ServersApi.Remove(name, call.Get(Force)), _ => call.Screen.Note($"Removed {SafeText.Line(name)}."), cancellationToken);
    }
}
