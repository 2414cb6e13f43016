using System.CommandLine;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Runs commands on a host for their own sake.</summary>
internal static class RunCommandsCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Argument<string[]> Commands = new("COMMAND") { Description = "Command of the catalogue, whatever it is meant for, or 'NAME=TEXT' for this once", Arity = ArgumentArity.OneOrMore };

    public static DocumentedCommand Build() => new DocumentedCommand("run-commands", "Run commands on the host of a server.")
    {
        Notes =
        [
            "One after the other, and nothing else is done to the server meanwhile. One that fails ends the run, and those after it are not run; unless its failure is only to be noted.",
            "Which there are: msctl commands list",
            StartedRuns.PlanNote,
        ],
        Examples = ["msctl servers run-commands ns1 'check free disk' 'synchronise the clock'", "msctl servers run-commands ns1 'ask DNS' --plan", "msctl servers run-commands ns1 'see the load=uptime' --no-watch"],
    }.With([Name, Commands, .. StartedRuns.Options]).Does((call, cancellationToken) => StartedRuns.Do(
        call, ServersApi.RunCommands(call.Get(Name), new RunCommandsRequest([.. call.Get(Commands)!.Select(InstallInput.Command)])), cancellationToken, server: call.Get(Name)));
}
