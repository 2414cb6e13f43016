using System.CommandLine;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>One server.</summary>
internal static class ShowServerCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();

    public static DocumentedCommand Build() => new DocumentedCommand("show", "Show one server.")
    {
        Examples = ["msctl servers show ns1"],
    }.With(Name).Does(async (call, cancellationToken) =>
    {
        var server = await call.Product.Servers.Get(call.Get(Name), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(server.Json);
        }
        else
        {
            ServerTables.Page(call.Screen, server.Value, call.Now);
        }

        return ExitCode.Done;
    });
}
