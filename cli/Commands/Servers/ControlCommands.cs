using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Commands;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Starts, stops and restarts what is installed on a server.</summary>
internal static class ControlCommands
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string?> Components = new("--components") { Description = "Which, with commas. All that are installed if not given.", HelpName = "LIST" };

    public static DocumentedCommand Start() => Build("start", "Start components of a server.", "The run ends when Knot answers every zone over UDP and TCP.", "msctl servers start ns1");

    public static DocumentedCommand Stop() =>
        Build("stop", "Stop components of a server.", "They stay stopped, also over a reboot of the host, until they are started. The heartbeats go on.", "msctl servers stop ns1 --components dns");

    public static DocumentedCommand Restart() => Build("restart", "Restart components of a server.", "The run ends when Knot answers every zone over UDP and TCP.", "msctl servers restart ns1 --components monitor");

    private static DocumentedCommand Build(string verb, string what, string note, string example) =>
        new DocumentedCommand(verb, what) { Notes = [note, StartedRuns.PlanNote], Examples = [example, $"{example} --plan"] }.With([Name, Components, .. AroundOptions.All, .. StartedRuns.Options]).Does((call, cancellationToken) => Run(call, verb, cancellationToken));

    private static async Task<int> Run(Invocation call, string verb, CancellationToken cancellationToken)
    {
        var request = AroundOptions.In(call, new ControlRequest(call.Get(Components) is { } list ? InstallInput.Components(list) : null));
        return await StartedRuns.Do(call, ServersApi.Control(call.Get(Name), verb, request), cancellationToken);
    }
}
