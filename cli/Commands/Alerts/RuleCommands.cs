using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Alerts;

/// <summary>What is watched.</summary>
internal static class RuleCommands
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The rule's name" };
    private static readonly Argument<string?> Maybe = new("NAME") { Description = "The rule's name; a new one, made of the options, if not given", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> NewName = new("--name") { Description = "Call it so from now on.", HelpName = "NAME" };

    public static DocumentedCommand List() => new DocumentedCommand("list", "List the rules.") { Examples = ["msctl alerts rules list"] }.Does(async (call, cancellationToken) =>
    {
        var rules = await call.Product.Alerts.Rules(cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(rules.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("NAME", Fit.Whole), ("SEVERITY", Fit.Whole), ("FOR", Fit.Whole), ("SERVERS", Fit.MayShrink), ("FIRES WHEN", Fit.MayShrink));
        foreach (var rule in rules.Value.Items)
        {
            table.Row(
                new Cell(rule.Name, rule.Enabled ? Tone.Strong : Tone.Quiet), rule.Enabled ? AlertTexts.Severity(rule.Severity) : new Cell("disabled", Tone.Quiet), AlertTexts.Seconds(rule.ForSeconds),
                rule.Servers.Count == 0 ? "all" : string.Join(",", rule.Servers), AlertTexts.FiresWhen(rule));
        }

        table.Write(call.Screen, "No rules: nothing is watched.");
        return ExitCode.Done;
    });

    public static DocumentedCommand Show() => new DocumentedCommand("show", "Show one rule.") { Examples = ["msctl alerts rules show 'disk full'"] }.With(Name).Does(async (call, cancellationToken) =>
    {
        Tell(call, await call.Product.Alerts.Rule(call.Get(Name), cancellationToken));
        return ExitCode.Done;
    });

    public static DocumentedCommand Add() => new DocumentedCommand("add", "Add a rule.")
    {
        Notes = ["What is given tells its kind: a limit (--above, --below), a rate (--rate-over), absence (--absent), a forecast (--within) or a state (--state).", "msctl alerts rules preview tells what it would find now."],
        Examples =
        [
            "msctl alerts rules add 'var full' --metric 'disk.used{/var}' --of disk.total --above 95% --clear 90% --for 5m --severity critical",
            "msctl alerts rules add 'much traffic' --metric network.received --rate-over 5m --above 100MiB --servers ns1,ns2",
            "msctl alerts rules add 'full in a week' --metric disk.used --of disk.total --within 7d",
        ],
    }.With([Name, .. RuleOptions.All, StartedRuns.Plan]).Does((call, cancellationToken) =>
        StoredChanges.Do(call, AlertsApi.AddRule(RuleOptions.Read(call, call.Get(Name), isNew: true)), added => Tell(call, added), cancellationToken));

    public static DocumentedCommand Edit() => new DocumentedCommand("edit", "Change a rule. What is not given stays.")
    {
        Examples = ["msctl alerts rules edit 'disk almost full' --above 85% --clear 80%", "msctl alerts rules edit 'swap in use' --disable --plan"],
    }.With([Name, NewName, .. RuleOptions.All, StartedRuns.Plan]).Does((call, cancellationToken) =>
        StoredChanges.Do(call, AlertsApi.EditRule(call.Get(Name), RuleOptions.Read(call, call.Get(NewName), isNew: false)), edited => Tell(call, edited), cancellationToken));

    public static DocumentedCommand Remove() => new DocumentedCommand("remove", "Remove a rule. Its alerts are over.") { Examples = ["msctl alerts rules remove 'swap in use'"] }
        .With(Name, StartedRuns.Plan).Does((call, cancellationToken) =>
            StoredChanges.Do(call, AlertsApi.RemoveRule(call.Get(Name)), _ => call.Screen.Note($"Removed {SafeText.Line(call.Get(Name))}."), cancellationToken));

    public static DocumentedCommand Preview() => new DocumentedCommand("preview", "Tell what a rule finds now, or would find otherwise. Keeps nothing, tells nobody.")
    {
        Notes = ["Without NAME the options make a new rule; with NAME they change it, for the preview alone. How long it must be so is not waited for."],
        Examples = ["msctl alerts rules preview 'disk almost full' --above 50%", "msctl alerts rules preview --metric load.1 --above 4"],
    }.With([Maybe, .. RuleOptions.All]).Does(async (call, cancellationToken) =>
    {
        var name = call.Get(Maybe);
        var preview = await call.Product.Alerts.Preview(name, RuleOptions.Read(call, name is null ? $"preview {Guid.CreateVersion7():N}" : null, isNew: name is null), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(preview.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("SERVER", Fit.Whole), ("WHAT", Fit.MayShrink));
        foreach (var item in preview.Value.Items)
        {
            table.Row(new Cell(item.Server, Tone.Strong), item.Summary);
        }

        table.Write(call.Screen, "It finds nothing now.");
        call.Screen.Note($"Fires when {SafeText.Line(preview.Value.FiresWhen)}.{(preview.Value.Total > preview.Value.Items.Count ? $" {preview.Value.Total} in all." : "")}", Tone.Quiet);
        return ExitCode.Done;
    });

    private static void Tell(Invocation call, Answer<AlertRule> answer)
    {
        if (call.Json)
        {
            call.Screen.Json(answer.Json);
            return;
        }

        var (page, rule) = (new FieldPage(call.Screen), answer.Value);
        page.Field("Name", rule.Name, Tone.Strong);
        page.Field("Description", rule.Description);
        page.Field("Enabled", rule.Enabled ? "yes" : "no", rule.Enabled ? Tone.Good : Tone.Quiet);
        page.Field("Severity", rule.Severity, AlertTexts.Severity(rule.Severity).Tone);
        page.Field("Fires when", AlertTexts.FiresWhen(rule));
        page.Field("For", AlertTexts.Seconds(rule.ForSeconds));
        page.Field("Over beyond", AlertTexts.Over(rule));
        page.Field("Servers", rule.Servers.Count == 0 ? "all" : string.Join(", ", rule.Servers));
        page.Field("Changed by", rule.ChangedBy);
        page.Write();
    }
}
