using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Watching;

/// <summary>One JSON object a line, as the product sent them.</summary>
internal sealed class JsonRunView(Screen screen) : IRunView
{
    public void Show(StreamedEvent update)
    {
        var name = update switch
        {
            RunChanged => "run",
            LogWritten => "log",
            RunEnded => "end",
            _ => throw new ArgumentException($"Unknown event {update.GetType().Name}.", nameof(update)),
        };

        // A line break cannot be inside a JSON string, so a blank in its place is the same document on one line.
        screen.Json($$"""{"event":"{{name}}","data":{{update.Json.ReplaceLineEndings(" ")}}}""");
        screen.Out.Flush();
    }

    public void Lost() => screen.Note(RunWatch.Lost);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
