using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Monitoring;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Alerts;

/// <summary>When nobody is told.</summary>
internal static class MaintenanceCommands
{
    private static readonly Argument<string?> Server = new("NAME") { Description = "Name or id of the server; all if not given", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<Guid> Id = new("ID") { Description = "Of the window, as the list has it" };
    private static readonly Option<string?> From = new("--from") { Description = "Its begin: a time like 2026-01-31T08:00Z; now if not given.", HelpName = "TIME" };
    private static readonly Option<string?> To = new("--to") { Description = "Its end, likewise.", HelpName = "TIME" };
    private static readonly Option<string?> For = new("--for") { Description = "In place of --to: how long, as in 30m or 2h.", HelpName = "TIME" };
    private static readonly Option<string?> Note = new("--note", "-m") { Description = "What is done there.", HelpName = "TEXT" };

    public static DocumentedCommand List() => new DocumentedCommand("list", "List maintenance windows: what is, will be, or was in the last 30 days.") { Examples = ["msctl alerts maintenance list"] }.Does(async (call, cancellationToken) =>
    {
        var windows = await call.Product.Alerts.Maintenance(cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(windows.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("ID", Fit.Whole), ("SERVER", Fit.Whole), ("FROM", Fit.Whole), ("TO", Fit.Whole), ("NOW", Fit.Whole), ("BY", Fit.Whole), ("NOTE", Fit.MayShrink));
        foreach (var window in windows.Value.Items)
        {
            var now = window.To <= call.Now ? new Cell("over", Tone.Quiet) : window.From <= call.Now ? new Cell("quiet", Tone.Warning) : new Cell("to come");
            table.Row(window.Id.ToString(), new Cell(window.Server ?? "all", Tone.Strong), Words.Time(window.From), Words.Time(window.To), now, window.CreatedBy, window.Note);
        }

        table.Write(call.Screen, "No maintenance windows.");
        return ExitCode.Done;
    });

    public static DocumentedCommand Add() => new DocumentedCommand("add", "Keep alerts of a server, or of all, quiet for a time.")
    {
        Notes = ["Alerts are found and shown all the same. What still fires at the end is told then."],
        Examples = ["msctl alerts maintenance add ns1 --for 2h -m 'new disks'", "msctl alerts maintenance add --from 2026-12-31T22:00Z --to 2027-01-01T02:00Z"],
    }.With(Server, From, To, For, Note, StartedRuns.Plan).Does((call, cancellationToken) =>
    {
        var from = Moment.Of(call, From);
        var to = (call.Get(For), Moment.Of(call, To)) switch
        {
            ({ } span, null) => (from ?? call.Now) + AlertTexts.Span(For.Name, span, call.Now),
            (null, { } end) => end,
            _ => throw new UsageException("Either --for or --to is needed.", "For example --for 2h"),
        };
        return StoredChanges.Do(call, AlertsApi.AddMaintenance(new NewMaintenance(call.Get(Server), from, to, call.Get(Note))), added =>
        {
            if (call.Json)
            {
                call.Screen.Json(added.Json);
                return;
            }

            call.Screen.Line(added.Value.Id.ToString());
            call.Screen.Note($"Nobody is told of {SafeText.Line(added.Value.Server ?? "any server")} from {Words.Time(added.Value.From)} to {Words.Time(added.Value.To)}.");
        }, cancellationToken);
    });

    public static DocumentedCommand End() => new DocumentedCommand("end", "End a maintenance window now.") { Examples = ["msctl alerts maintenance end 0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b"] }
        .With(Id, StartedRuns.Plan).Does((call, cancellationToken) => StoredChanges.Do(call, AlertsApi.EndMaintenance(call.Get(Id)), _ => call.Screen.Note("Ended."), cancellationToken));
}
