using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>A plan as a person reads it: the steps with what each changes, who notices, and the sum.</summary>
internal sealed partial class PlanText(Screen screen, DateTimeOffset now)
{
    private const int MostNames = 20;

    public void Write(RunPlan plan)
    {
        Line($"Plan: {plan.Title}", Tone.Strong);
        screen.Line();
        foreach (var step in plan.Steps)
        {
            Step(step, plan.Steps.Count.ToString(null, null).Length);
        }

        if (plan.Affected.Count > 0)
        {
            screen.Line();
            Line("Who would notice", Tone.Strong);
            foreach (var impact in plan.Affected)
            {
                Impact(plan.Server, impact, "  ");
            }
        }

        screen.Line();
        foreach (var line in StartedRuns.Ahead(plan.Ahead, now, "It would wait"))
        {
            Line(line, Tone.Warning);
        }

        if (plan.NotLookedAt is { } unseen)
        {
            Line(unseen, Tone.Warning);
        }

        Sum(plan);
    }

    private void Step(PlannedStep step, int digits)
    {
        var failure = step.OnFailure switch
        {
            "fail" => "a failure ends the run",
            "compensate" => "a failure takes everything back",
            "continue" => "a failure is noted only",
            "pause" => "a failure pauses the run",
            var other => other,
        };
        var about = step.Conditional ? $"if needed; {failure}" : failure;
        screen.Line($"{step.Seq.ToString(null, null).PadLeft(digits)}. {SafeText.Line(step.Title)}{screen.Paint(about is null ? "" : $"  ({SafeText.Line(about)})", Tone.Quiet)}");
        var indent = new string(' ', digits + 2);
        foreach (var change in step.Preview?.Changes ?? [])
        {
            Change(change, indent);
        }

        foreach (var (text, tone) in new[]
        {
            (step.Preview?.Skipped == true ? "would be skipped" : null, Tone.Quiet), (step.Preview?.Note, Tone.Quiet),
            (step.Preview?.Failure is { } failed ? $"would fail: {failed}" : null, Tone.Bad), (step.Preview?.Unknown is { } unknown ? $"could not look: {unknown}" : null, Tone.Warning),
        })
        {
            foreach (var line in text is null ? [] : SafeText.Lines(text))
            {
                screen.Line(indent + screen.Paint(line, tone));
            }
        }
    }

    private void Change(PlannedChange change, string indent)
    {
        var lines = change.Detail is { Length: > 0 } detail ? SafeText.Lines(detail) : [];
        var beside = lines.Count == 1 && change.Kind != "run" && change.Thing != "file" ? $": {lines[0]}" : "";
        screen.Line($"{indent}{screen.Paint(SafeText.Line(change.Kind).PadRight(8), Of(change.Kind))}{SafeText.Line(change.Thing)} {SafeText.Line(change.Name)}{beside}");
        Detail(beside.Length > 0 ? [] : lines, $"{indent}        ");
    }

    private void Detail(IReadOnlyList<string> lines, string indent)
    {
        foreach (var line in lines)
        {
            screen.Line($"{indent}{screen.Paint(line, line.StartsWith('+') ? Tone.Good : line.StartsWith('-') ? Tone.Bad : Tone.Quiet)}");
        }
    }

    private void Impact(string server, ServiceImpact impact, string indent)
    {
        var (one, many) = impact.Component switch { "dns" => ("zone", "zones"), "dhcp" => ("subnet", "subnets"), _ => ("part", "parts") };
        var sentence = impact.Interruption switch
        {
            "none" => "goes on without interruption",
            "reload" => "reads its new configuration and goes on serving meanwhile",
            "start" => "starts to serve",
            "restart" => "is restarted: for a moment it answers nobody",
            "stop" => "stops: from then on it answers nobody",
            "unknown" => "may be interrupted: the host could not be looked at",
            var other => other,
        };
        Line($"{indent}{impact.Component} {sentence} ({Words.Many(impact.Total, one, many)})", Tone.Plain);
        // Those that stay as they are only where few: what is served differently is the news.
        var shown = impact.Served.Where(s => s.Effect != "unchanged" || impact.Total <= MostNames).Take(MostNames).ToList();
        foreach (var name in shown)
        {
            var others = name.AlsoServedBy.Count > 0 ? $", also by {string.Join(", ", name.AlsoServedBy)}" : "";
            Line($"{indent}  {(name.Effect == "unchanged" ? "served" : name.Effect),-8} {name.Name}{others}", name.Effect switch { "added" => Tone.Good, "removed" => Tone.Bad, "changed" => Tone.Warning, _ => Tone.Quiet });
        }

        if (impact.Total > shown.Count)
        {
            Line($"{indent}  and {Words.Many(impact.Total - shown.Count, $"more {one}", $"more {many}")}", Tone.Quiet);
        }

        if (impact.SoleServerFor.Count > 0)
        {
            Line($"{indent}  {server} is the sole server for {Words.Many(impact.SoleServerFor.Count, one, many)} of these: {Names(impact.SoleServerFor)}", Tone.Bad);
        }

        if (impact.KeysLost.Count > 0)
        {
            Line($"{indent}  The DNSSEC keys of {Words.Many(impact.KeysLost.Count, one, many)} lie on this host alone and go with it: {Names(impact.KeysLost)}", Tone.Bad);
            Line($"{indent}  A DS record at the parent zone matches no key any more then, and nobody who validates resolves the zone: take it away there first, and wait for its TTL.", Tone.Bad);
        }
    }

    private static string Names(IReadOnlyList<string> names) => string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? ", …" : "");

    private void Sum(RunPlan plan)
    {
        var changing = plan.Steps.Count(s => s.Preview?.Changes.Count > 0);
        var steps = Words.Many(plan.Steps.Count, "step");
        Line(
            plan.WouldFail is not null && plan.Affected.Count == 0 ? "The run would fail as things are, and nobody would notice. Nothing was started."
            : plan.WouldFail is not null ? "The run would fail as things are. Nothing was started."
            : plan.WouldChange == false ? $"Nothing would be changed ({steps}). Nothing was started."
            : changing > 0 ? $"{changing} of {steps} would change something. Nothing was started."
            : $"Whether anything would be changed is not known ({steps}). Nothing was started.",
            plan.WouldFail is not null ? Tone.Bad : Tone.Strong);
    }

    private void Line(string text, Tone tone) => screen.Line(screen.Paint(SafeText.Line(text), tone));

    private static Tone Of(string kind) => kind switch
    {
        "add" or "start" => Tone.Good,
        "remove" or "stop" => Tone.Bad,
        "change" or "restart" => Tone.Warning,
        _ => Tone.Busy,
    };
}
