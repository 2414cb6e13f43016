using System.Text.Json;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Watching;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>What comes after a run was started: it is watched to its end, or its id is given.</summary>
internal static class StartedRuns
{
    public static async Task<int> Follow(Invocation call, Answer<StartedRun> started, bool watch, CancellationToken cancellationToken, string server = "")
    {
        if (started.Value.Enrolment is { } enrolment)
        {
            if (!call.Json)
            {
                ByHand.Tell(call, enrolment, server);
            }
            else
            {
                ByHand.Keep(call, enrolment);
                if (watch)
                {
                    using var answer = JsonDocument.Parse(started.Json);
                    call.Screen.Json($$"""{"event":"enrolment","data":{{answer.RootElement.GetProperty("enrolment").GetRawText().ReplaceLineEndings(" ")}}}""");
                    call.Screen.Out.Flush();
                }
            }
        }

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
