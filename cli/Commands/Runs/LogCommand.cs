using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Watching;

namespace ManagedServers.Cli.Commands.Runs;

/// <summary>A run's log.</summary>
internal static class LogCommand
{
    private const int PageSize = 1000;
    private static readonly Argument<string> Id = RunArgument.Make();
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what is written from now on, until the run ends." };

    public static DocumentedCommand Build() => new DocumentedCommand("log", "Print the log of a run.")
    {
        Notes = ["With -o json one document with every line; with --follow one JSON object a line."],
        Examples = ["msctl runs log 6c1f0e6f4a2b", "msctl runs log 6c1f0e6f4a2b --follow"],
    }.With(Id, Follow).Does(async (call, cancellationToken) =>
    {
        var id = await RunArgument.Resolve(call, Id, cancellationToken);
        return call.Get(Follow) ? await Following(call, id, cancellationToken) : await Whole(call, id, cancellationToken);
    });

    /// <summary>A line as people read it.</summary>
    public static string Text(Screen screen, LogLine line)
    {
        var level = line.Level is "information" ? "" : screen.Paint($"{SafeText.Line(line.Level)}: ", Tones.OfLevel(line.Level));
        var step = line.StepSeq > 0 ? $"[{line.StepSeq}] " : "";
        return $"{screen.Paint(Words.Stamp(line.At), Tone.Quiet)} {step}{level}{SafeText.Line(line.Message.TrimEnd())}";
    }

    private static async Task<int> Whole(Invocation call, Guid id, CancellationToken cancellationToken)
    {
        var lines = await Pages.All(after => call.Product.Runs.Log(id, after is null ? 0 : long.Parse(after, null), PageSize, cancellationToken));
        if (call.Json)
        {
            call.Screen.Json(lines.Json);
            return ExitCode.Done;
        }

        foreach (var line in lines.Value)
        {
            call.Screen.Line(Text(call.Screen, line));
        }

        if (lines.Value.Count == 0)
        {
            call.Screen.Note("Nothing was logged yet.", Tone.Quiet);
        }

        return ExitCode.Done;
    }

    private static async Task<int> Following(Invocation call, Guid id, CancellationToken cancellationToken)
    {
        await call.Product.Runs.Get(id, cancellationToken);
        var follower = new RunFollower(call.Product.Runs, id, 0, call.Time, () => call.Screen.Note(RunWatch.Lost, Tone.Warning));
        await foreach (var update in follower.Follow(cancellationToken))
        {
            if (update is LogWritten written)
            {
                if (call.Json)
                {
                    call.Screen.Json(written.Json);
                }
                else
                {
                    call.Screen.Line(Text(call.Screen, written.Line));
                }
            }
        }

        return ExitCode.Done;
    }
}
