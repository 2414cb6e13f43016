using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Runs;

/// <summary>Runs, newest first.</summary>
internal static class ListRunsCommand
{
    private const int Usual = 20;
    private const int LargestPage = 200;
    private static readonly Option<string?> Server = new("--server") { Description = "Only runs about this server.", HelpName = "NAME" };
    private static readonly Option<string?> State = new("--state") { Description = "Only runs in this state: queued, running, waiting, paused, succeeded, failed, cancelled.", HelpName = "STATE" };
    private static readonly Option<string?> Kind = new("--kind") { Description = "Only runs of this workflow, for example install.", HelpName = "KIND" };
    private static readonly Option<int> Limit = new("--limit") { Description = $"How many at most. {Usual} if not given.", HelpName = "N", DefaultValueFactory = _ => Usual };

    static ListRunsCommand() => State.AcceptOnlyFromAmong(
        RunStates.Queued, RunStates.Running, RunStates.Waiting, RunStates.Paused, RunStates.Succeeded, RunStates.Failed, RunStates.Cancelled);

    public static DocumentedCommand Build()
    {
        var command = new DocumentedCommand("list", "List runs, newest first.")
        {
            Examples = ["msctl runs list", "msctl runs list --server ns1 --state paused", "msctl runs list --kind install --limit 100 -o json"],
        };
        command.Aliases.Add("ls");
        Limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--limit must be 1 or more.");
            }
        });
        return command.With(Server, State, Kind, Limit).Does(Run);
    }

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var limit = call.Get(Limit);
        var left = limit;
        var runs = await Pages.All(
            async before =>
            {
                var page = await call.Product.Runs.List(call.Get(State), call.Get(Kind), call.Get(Server), before, Math.Min(left, LargestPage), cancellationToken);
                left -= page.Value.Items.Count;
                return page;
            },
            limit);
        if (call.Json)
        {
            call.Screen.Json(runs.Json);
            return ExitCode.Done;
        }

        Table(call, runs.Value);
        return ExitCode.Done;
    }

    private static void Table(Invocation call, IReadOnlyList<RunSummary> runs)
    {
        var table = new TextTable(("RUN", Fit.Whole), ("STATE", Fit.Whole), ("STEPS", Fit.Right), ("STARTED", Fit.Whole), ("TOOK", Fit.Right), ("TITLE", Fit.MayShrink), ("REASON", Fit.MayShrink));
        foreach (var run in runs)
        {
            table.Row(
                run.Id.ToString(), new Cell(RunWords.State(run), Tones.OfRun(run.State)), run.Undone ? "undone" : $"{run.StepsDone}/{run.StepsTotal}", Words.Time(run.StartedAt ?? run.CreatedAt),
                RunWords.Took(run, call.Now), run.Title, run.Reason);
        }

        table.Write(call.Screen, "No runs.");
    }
}
