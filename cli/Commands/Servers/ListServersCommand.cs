using System.CommandLine;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>All servers.</summary>
internal static class ListServersCommand
{
    private static readonly Option<string?> Filter = new("--filter") { Description = "Only names that contain this.", HelpName = "TEXT" };

    public static DocumentedCommand Build()
    {
        var command = new DocumentedCommand("list", "List servers with their state, heartbeats and components.")
        {
            Examples = ["msctl servers list", "msctl servers list --filter ns", "msctl servers list -o json | jq -r '.items[].name'"],
        };
        command.Aliases.Add("ls");
        return command.With(Filter).Does(async (call, cancellationToken) =>
        {
            var servers = await Pages.All(after => call.Product.Servers.List(call.Get(Filter), null, after, cancellationToken));
            if (call.Json)
            {
                call.Screen.Json(servers.Json);
            }
            else
            {
                ServerTables.List(call.Screen, call.Get(Filter) is null, servers.Value, call.Now);
            }

            return ExitCode.Done;
        });
    }
}
