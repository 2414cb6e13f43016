using System.Text.Json;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands;
using ManagedServers.Cli.Commands.Runs;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Watching;

/// <summary>Watches a run until nobody but an operator can make it go on.</summary>
internal static class RunWatch
{
    public const string Lost = "connection lost, trying again…";

    /// <summary>Where a run stands: what is watched from here on is what comes next.</summary>
    public static async Task<Seen> SoFar(Invocation call, Guid id, CancellationToken cancellationToken)
    {
        var run = await call.Product.Runs.Get(id, cancellationToken);
        var lines = await Pages.All(after => call.Product.Runs.Log(id, after is null ? 0 : long.Parse(after, null), null, cancellationToken));
        return new Seen(run.Value, lines.Value.Count == 0 ? 0 : lines.Value[^1].Seq);
    }

    /// <summary>Ends with the exit code that tells the run's outcome. What was seen of it before is not told again; what its turn lets tell is told on the way, once.</summary>
    public static async Task<int> ToTheEnd(Invocation call, Guid id, CancellationToken cancellationToken, Seen? seen = null, Turn? turn = null)
    {
        await using var view = View(call, seen?.Run);
        try
        {
            var (run, lastLine, hasTurned) = await Follow(call, id, view, seen?.LastLine ?? 0, turn, cancellationToken);
            await view.DisposeAsync();
            if (hasTurned)
            {
                await turn!.Tell(cancellationToken);
                return await ToTheEnd(call, id, cancellationToken, new Seen(run, lastLine));
            }

            Tell(call, run, view is PlainRunView ? RunWords.OutcomeAfterSteps(run, call.Now) : RunWords.Outcome(run, call.Now));
            return RunWords.ExitCodeOf(run);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await view.DisposeAsync();
            call.Screen.Note($"Stopped watching; the run goes on. To see it again: msctl runs watch {id}");
            return ExitCode.Interrupted;
        }
    }

    private static IRunView View(Invocation call, RunDetails? seen) =>
        call.Json ? new JsonRunView(call.Screen) : call.Screen.CanMove ? new LiveRunView(call.Screen, call.Time) : new PlainRunView(call.Screen, call.Time, seen);

    private static async Task<(RunDetails Run, long LastLine, bool HasTurned)> Follow(Invocation call, Guid id, IRunView view, long lastLine, Turn? turn, CancellationToken cancellationToken)
    {
        // Told at once: a run that is not there, or a product that is not. Later a lost connection is a passing thing.
        await call.Product.Runs.Get(id, cancellationToken);
        var follower = new RunFollower(call.Product.Runs, id, lastLine, call.Time, view.Lost);
        await foreach (var update in follower.Follow(cancellationToken))
        {
            view.Show(update);
            switch (update)
            {
                case RunEnded ended:
                    return (ended.Run, follower.LastLine, false);
                case RunChanged changed when turn?.HasCome(changed.Run) == true:
                    return (changed.Run, follower.LastLine, true);
                case RunChanged { Run.State: RunStates.Paused } paused:
                    await Rest(call, id, follower.LastLine, view, cancellationToken);
                    return (paused.Run, follower.LastLine, false);
            }
        }

        throw new InvalidOperationException("The follower ends with the run only.");
    }

    // The stream stays open while a run is paused, so nothing says that its log is complete: it is read.
    private static async Task Rest(Invocation call, Guid id, long seen, IRunView view, CancellationToken cancellationToken)
    {
        var lines = await Pages.All(after => call.Product.Runs.Log(id, after is null ? seen : long.Parse(after, null), null, cancellationToken));
        using var document = JsonDocument.Parse(lines.Json);
        foreach (var (line, json) in lines.Value.Zip(document.RootElement.GetProperty("items").EnumerateArray()))
        {
            if (line.Seq > seen)
            {
                view.Show(new LogWritten(line, json.GetRawText()));
            }
        }
    }

    private static void Tell(Invocation call, RunDetails run, string outcome)
    {
        if (call.Json)
        {
            return;
        }

        // One line, whatever a host has said: a further one could be taken for msctl's own.
        call.Screen.Line(call.Screen.Paint(SafeText.Line(outcome.TrimEnd()), Tones.OfRun(run.State)));
        foreach (var line in RunWords.WhatNow(run))
        {
            call.Screen.Note(line);
        }
    }
}

/// <summary>A run, and its log up to a line.</summary>
internal sealed record Seen(RunDetails Run, long LastLine);

/// <summary>Something that is to be told while a run is watched.</summary>
/// <param name="HasCome">It is to be told now.</param>
/// <param name="Tell">Tells it.</param>
internal sealed record Turn(Func<RunDetails, bool> HasCome, Func<CancellationToken, Task> Tell);

/// <summary>Shows what happens to a run.</summary>
internal interface IRunView : IAsyncDisposable
{
    void Show(StreamedEvent update);

    /// <summary>The connection is lost and will be tried again.</summary>
    void Lost();
}
