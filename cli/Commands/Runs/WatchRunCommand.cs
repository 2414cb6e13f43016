using System.CommandLine;
using ManagedServers.Cli.Watching;

namespace ManagedServers.Cli.Commands.Runs;

/// <summary>Shows a run as it goes.</summary>
internal static class WatchRunCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();

    public static DocumentedCommand Build() => new DocumentedCommand("watch", "Watch a run to its end, and end with its outcome.")
    {
        Notes =
        [
            "Progress bars on a terminal, lines with times (UTC) in a pipe. If the connection is lost, or the product restarts, it is opened again and nothing is shown twice. Ctrl-C stops watching; the run goes on.",
            $"Ends with {ExitCode.Done} when the run succeeded, {ExitCode.RunFailed} when it failed or was cancelled, {ExitCode.RunPaused} when it waits for an operator.",
            "With -o json, standard output has one JSON object a line, as the product sends them: {\"event\":\"run\",\"data\":{…the run…}} whenever it changed, {\"event\":\"log\",\"data\":{…a log line…}}, and {\"event\":\"end\",\"data\":{…the run…}} as the last when it ended.",
        ],
        Examples = ["msctl runs watch 0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b", "msctl runs watch 6c1f0e6f4a2b -o json"],
    }.With(Id).Does(async (call, cancellationToken) => await RunWatch.ToTheEnd(call, await RunArgument.Resolve(call, Id, cancellationToken), cancellationToken));
}
