using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Runs;
using ManagedServers.Cli.Output;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ManagedServers.Cli.Watching;

/// <summary>Draws a run into so many columns and lines; every line fits, so the terminal never breaks one.</summary>
internal sealed class RunDrawing(int width, int height, bool unicode)
{
    private const int Took = 7;         // "9:59:59"
    private const int WidestBar = 20;
    private static readonly string[] Spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    private static readonly string[] PlainSpinner = ["|", "/", "-", "\\"];

    // The last column stays empty: some terminals break the line when it is written.
    private int Room => Math.Max(40, width) - 1;

    public Rows Of(RunDetails run, IReadOnlyDictionary<int, string> lastLines, DateTimeOffset now)
    {
        var number = $"{run.StepsTotal}/{run.StepsTotal}".Length;
        var title = Math.Min(run.Steps.Select(s => TextTable.CellsOf(SafeText.Line(s.Title))).DefaultIfEmpty(0).Max(), Room * 3 / 8);
        var result = Room - 2 - number - 1 - title - 2 - Took - 1;
        var lines = new List<IRenderable> { Line((Fit($"{run.Title}", Room), Tone.Strong)) };
        lines.AddRange(Window(run).Select(step => Step(run, step, now, number, title, result, lastLines.GetValueOrDefault(step.Seq))));
        lines.Add(Foot(run, now));
        return new Rows(lines);
    }

    public static Style StyleOf(Tone tone) => tone switch
    {
        Tone.Good => new Style(Color.Green),
        Tone.Busy => new Style(Color.Teal),
        Tone.Warning => new Style(Color.Olive),
        Tone.Bad => new Style(Color.Maroon),
        Tone.Quiet => new Style(decoration: Decoration.Dim),
        Tone.Strong => new Style(decoration: Decoration.Bold),
        _ => Style.Plain,
    };

    /// <summary>The steps that fit, around the one that matters now.</summary>
    private IEnumerable<StepDetails> Window(RunDetails run)
    {
        var fitting = Math.Max(3, height - 4);
        if (run.Steps.Count <= fitting)
        {
            return run.Steps;
        }

        var current = run.Steps.TakeWhile(s => s.State is StepStates.Succeeded or StepStates.Skipped).Count();
        return run.Steps.Skip(Math.Clamp(current - (fitting / 2), 0, run.Steps.Count - fitting)).Take(fitting);
    }

    private Paragraph Step(RunDetails run, StepDetails step, DateTimeOffset now, int number, int title, int result, string? lastLine)
    {
        var tone = Tones.OfStep(step.State);
        var titleTone = step.State is StepStates.Pending ? Tone.Quiet : step.State is StepStates.Running ? Tone.Strong : Tone.Plain;
        var parts = new List<(string, Tone)>
        {
            ($"{Mark(step.State, now)} ", tone),
            ($"{step.Seq}/{run.StepsTotal}".PadLeft(number) + " ", Tone.Quiet),
            (Pad(step.Title, title) + "  ", titleTone),
        };
        parts.AddRange(Result(step, now, result, lastLine));
        parts.Add((Clock(step, now).PadLeft(Took + 1), Tone.Quiet));
        return Line([.. parts]);
    }

    private IEnumerable<(string, Tone)> Result(StepDetails step, DateTimeOffset now, int room, string? lastLine)
    {
        if (step is { State: StepStates.Running, Progress: { } fraction })
        {
            var bar = Math.Min(WidestBar, room / 4);
            var full = (int)Math.Round(Math.Clamp(fraction, 0, 1) * bar);
            yield return (new string(unicode ? '━' : '#', full), Tone.Busy);
            yield return (new string(unicode ? '─' : '-', bar - full) + " ", Tone.Quiet);
            yield return (Pad(Tries(step) + RunWords.Progress(step), room - bar - 1), Tone.Plain);
        }
        else
        {
            // A step that does not say how far it is: the last line of the log shows that it is alive.
            var text = step.State == StepStates.Running ? step.ProgressNote ?? lastLine ?? "" : RunWords.Result(step, now);
            yield return (Pad(Tries(step) + text, room), step.State is StepStates.Succeeded or StepStates.Running ? Tone.Quiet : Tones.OfStep(step.State));
        }
    }

    private static string Tries(StepDetails step) =>
        step is { Attempts: > 1, State: StepStates.Running or StepStates.Retrying or StepStates.Failed } ? $"try {step.Attempts}, "
        : step is { Attempts: > 1 } ? $"{step.Attempts} tries; " : "";

    private Paragraph Foot(RunDetails run, DateTimeOffset now)
    {
        var bar = Math.Min(WidestBar, Room / 3);
        var full = run.StepsTotal == 0 ? 0 : run.StepsDone * bar / run.StepsTotal;
        var words = $" {(run.Undone ? "undone" : $"{run.StepsDone} of {Words.Many(run.StepsTotal, "step")}")}, {RunWords.State(run)}";
        words += RunWords.Took(run, now) is { Length: > 0 } took ? $", {took}" : "";
        words += run.State is (RunStates.Queued or RunStates.Waiting) && run.Reason is { } reason ? $": {reason}" : "";
        return Line(
            (new string(unicode ? '━' : '#', full), Tones.OfRun(run.State)), (new string(unicode ? '─' : '-', bar - full), Tone.Quiet), (Fit(words, Room - bar), Tones.OfRun(run.State)));
    }

    private static string Clock(StepDetails step, DateTimeOffset now)
    {
        if (step.StartedAt is not { } start || (step.FinishedAt is null && step.State != StepStates.Running))
        {
            return "";
        }

        var span = (step.FinishedAt ?? now) - start;
        return span.TotalMinutes < 1 ? Words.Span(span) : span.ToString(span.TotalHours < 1 ? @"m\:ss" : @"h\:mm\:ss", null);
    }

    private string Mark(string state, DateTimeOffset now)
    {
        if (state == StepStates.Running)
        {
            var spinner = unicode ? Spinner : PlainSpinner;
            return spinner[now.ToUnixTimeMilliseconds() / 200 % spinner.Length];
        }

        return state switch
        {
            StepStates.Succeeded => unicode ? "✓" : "+",
            StepStates.Failed => unicode ? "✗" : "x",
            StepStates.Retrying => unicode ? "↻" : "~",
            StepStates.Interrupted => "!",
            StepStates.Undone => unicode ? "↩" : "<",
            StepStates.Skipped or StepStates.Cancelled => "-",
            _ => unicode ? "·" : ".",
        };
    }

    private static string Fit(string text, int cells) => TextTable.Cut(SafeText.Line(text), cells);

    private static string Pad(string text, int cells)
    {
        var fitting = Fit(text, cells);
        return fitting + new string(' ', Math.Max(0, cells - TextTable.CellsOf(fitting)));
    }

    // Styled text, not markup: a bracket in a title stays a bracket.
    private static Paragraph Line(params (string Text, Tone Tone)[] parts)
    {
        var line = new Paragraph { Overflow = Overflow.Crop };
        foreach (var (text, tone) in parts)
        {
            line.Append(text, StyleOf(tone));
        }

        return line;
    }
}
