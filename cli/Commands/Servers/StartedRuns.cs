using ManagedServers.Cli.Client;
using ManagedServers.Cli.Watching;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>What comes after a run was started: it is watched to its end, or its id is given.</summary>
internal static class StartedRuns
{
    public static async Task<int> Follow(Invocation call, Answer<StartedRun> started, bool watch, CancellationToken cancellationToken)
    {
        if (watch)
        {
            return await RunWatch.ToTheEnd(call, started.Value.RunId, cancellationToken);
        }

        if (call.Json)
        {
            call.Screen.Json(started.Json);
        }
        else
        {
            call.Screen.Line(started.Value.RunId.ToString());
            call.Screen.Note($"Started. To see it: msctl runs watch {started.Value.RunId}");
        }

        return ExitCode.Done;
    }
}
