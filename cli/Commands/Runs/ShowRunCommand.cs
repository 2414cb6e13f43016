using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Runs;

/// <summary>One run with its steps and its audit.</summary>
internal static class ShowRunCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();

    public static DocumentedCommand Build() => new DocumentedCommand("show", "Show one run: its steps, and what was done to it.")
    {
        Examples = ["msctl runs show 0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b"],
    }.With(Id).Does(async (call, cancellationToken) =>
    {
        var run = await call.Product.Runs.Get(await RunArgument.Resolve(call, Id, cancellationToken), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(run.Json);
        }
        else
        {
            Write(call.Screen, run.Value, call.Now);
        }

        return ExitCode.Done;
    });

    public static void Write(Screen screen, RunDetails run, DateTimeOffset now)
    {
        var page = new FieldPage(screen);
        page.Field("Run", run.Id.ToString());
        page.Field("Title", run.Title, Tone.Strong);
        page.Field("State", RunWords.State(run), Tones.OfRun(run.State));
        page.Field("Reason", run.Reason);
        page.Field("About", run.Subject);
        page.Field("Asked by", run.RequestedBy);
        page.Field("Asked at", Words.Time(run.CreatedAt));
        page.Field("Took", RunWords.Took(run, now));
        page.Field("Node", run.Node);
        page.Field("Taken over", run.Recoveries == 0 ? null : Words.Many(run.Recoveries, "time"));
        page.Write();
        screen.Line();
        Steps(screen, run, now);
        Audit(screen, run);
        foreach (var line in RunWords.WhatNow(run))
        {
            screen.Note(line);
        }
    }

    private static void Steps(Screen screen, RunDetails run, DateTimeOffset now)
    {
        var table = new TextTable(("#", Fit.Right), ("STATE", Fit.Whole), ("TRIES", Fit.Right), ("TOOK", Fit.Right), ("STEP", Fit.MayShrink), ("RESULT", Fit.MayShrink));
        foreach (var step in run.Steps)
        {
            table.Row(
                Words.Count(step.Seq), new Cell(step.State, Tones.OfStep(step.State)), step.Attempts == 0 ? "" : Words.Count(step.Attempts), RunWords.Took(step, now),
                step.Title, RunWords.Result(step, now));
        }

        table.Write(screen, "It has no steps yet.");
    }

    private static void Audit(Screen screen, RunDetails run)
    {
        if (run.Events.Count == 0)
        {
            return;
        }

        screen.Line();
        var table = new TextTable(("AT", Fit.Whole), ("WHO", Fit.Whole), ("WHAT", Fit.Whole), ("WHY", Fit.MayShrink));
        foreach (var entry in run.Events)
        {
            table.Row(Words.Time(entry.At), entry.Who, entry.What, entry.Why);
        }

        table.Write(screen, "");
    }
}
