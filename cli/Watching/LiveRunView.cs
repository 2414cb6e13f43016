using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using Spectre.Console;

namespace ManagedServers.Cli.Watching;

/// <summary>
/// The run as a list of steps with bars, drawn again in place. Warnings and errors of its log, and a lost connection, go above
/// it and stay; the rest of the log is what `runs log` is for.
/// </summary>
internal sealed class LiveRunView : IRunView
{
    // Fast enough for a spinner to be alive, slow enough for a remote terminal.
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(200);
    private readonly Lock gate = new();
    private readonly Queue<(string Text, Tone Tone)> above = new();
    private readonly Dictionary<int, string> lastLines = [];
    private readonly CancellationTokenSource over = new();
    private readonly Screen screen;
    private readonly TimeProvider time;
    private readonly IAnsiConsole console;
    private RunDetails? run;
    private bool shown;
    private Task? display;

    public LiveRunView(Screen screen, TimeProvider time) => (this.screen, this.time, console) = (screen, time, screen.Live());

    public void Show(StreamedEvent update)
    {
        lock (gate)
        {
            switch (update)
            {
                case RunChanged changed: run = changed.Run; break;
                case RunEnded ended: run = ended.Run; break;
                case LogWritten { Line: var line }: Log(line); break;
            }

            // Started with the first state: before it there is nothing to draw.
            display ??= run is null ? null : Display();
        }
    }

    public void Lost()
    {
        lock (gate)
        {
            above.Enqueue((RunWatch.Lost, Tone.Warning));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        if (display is { } drawing)
        {
            display = null;
            await drawing;
        }
        else if (!shown)
        {
            PrintAbove();
        }
    }

    private void Log(LogLine line)
    {
        lastLines[line.StepSeq] = line.Message;
        if (Tones.OfLevel(line.Level) is Tone.Warning or Tone.Bad)
        {
            above.Enqueue(($"[{line.StepSeq}] {line.Level}: {line.Message.TrimEnd()}", Tones.OfLevel(line.Level)));
        }
    }

    private Task Display()
    {
        shown = true;
        var live = console.Live(new Text("")).AutoClear(false).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Top);
        return live.StartAsync(async context =>
        {
            while (true)
            {
                var last = over.IsCancellationRequested;
                PrintAbove();
                context.UpdateTarget(Draw());
                if (last)
                {
                    return;
                }

                await Task.Delay(Beat, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        });
    }

    private Rows Draw()
    {
        lock (gate)
        {
            return new RunDrawing(console.Profile.Width, console.Profile.Height, console.Profile.Capabilities.Unicode).Of(run!, lastLines, time.GetUtcNow());
        }
    }

    private void PrintAbove()
    {
        while (true)
        {
            (string Text, Tone Tone) note;
            lock (gate)
            {
                if (!above.TryDequeue(out note))
                {
                    return;
                }
            }

            console.Write(new Text(SafeText.Line(note.Text) + "\n", RunDrawing.StyleOf(note.Tone)));
        }
    }
}
