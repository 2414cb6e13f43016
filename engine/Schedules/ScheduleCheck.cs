using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cronos;

namespace ManagedServers.Engine;

/// <summary>Says what is wrong with a schedule before anything of it is kept.</summary>
internal sealed partial class ScheduleCheck(WorkflowCatalog catalog, Text text, TimeProvider time)
{
    private const int TextCharacters = 200;
    private const int ZoneCharacters = 100;
    private const int GapsLookedAt = 100;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <exception cref="InvalidScheduleException">With all that is wrong.</exception>
    public void Whole(ScheduleSettings settings)
    {
        var problems = new List<ScheduleProblem>();
        void Rule(bool holds, string field, string message)
        {
            if (!holds)
            {
                problems.Add(new ScheduleProblem(field, message));
            }
        }

        Rule(settings.Name is not null && NameRule().IsMatch(settings.Name), "name",
            "A schedule's name has 1 to 100 lower-case letters, digits, dots and dashes, and begins with a letter or digit.");
        Rule(settings.Title is null || (settings.Title.Length <= TextCharacters && !settings.Title.Any(char.IsControl)), "title",
            $"The title is one line of at most {TextCharacters} characters.");
        Rule(settings.Subject is null || (settings.Subject is { Length: > 0 and <= TextCharacters } subject && Identifiers.IsStorable(subject)), "subject",
            $"The subject has 1 to {TextCharacters} characters, none of them NUL or half of a surrogate pair.");
        Rule(Enum.IsDefined(settings.Misfire), "misfire", $"There is no misfire policy {settings.Misfire}.");
        Rule(Enum.IsDefined(settings.Overlap), "overlap", $"There is no overlap policy {settings.Overlap}.");
        Rule(Enum.IsDefined(settings.Priority), "priority", $"There is no priority {settings.Priority}.");
        Rule(settings is not { Misfire: MisfirePolicy.FireAll, Overlap: OverlapPolicy.Skip }, "overlap",
            "The misfire policy 'fireAll' gives each missed time a run, all but the first of which the overlap policy 'skip' would leave out: choose 'queue'.");
        problems.AddRange(Workflow(settings));
        problems.AddRange(Times(settings));
        Refuse(problems);
    }

    /// <exception cref="InvalidScheduleException">With all that is wrong with its times.</exception>
    public void Timing(ScheduleSettings settings) => Refuse([.. Times(settings)]);

    /// <summary>Whether this process has the workflow; another one may.</summary>
    public bool Known(string kind) => catalog.Find(kind) is not null;

    /// <summary>Why no run can be started, or null.</summary>
    public string? Unstartable(string kind, JsonElement input) => Workflow(kind, input).FirstOrDefault()?.Message;

    private static void Refuse(List<ScheduleProblem> problems)
    {
        if (problems.Count > 0)
        {
            throw new InvalidScheduleException(problems);
        }
    }

    private IEnumerable<ScheduleProblem> Workflow(ScheduleSettings settings)
    {
        if (settings.Input.ValueKind != JsonValueKind.Undefined)
        {
            return Workflow(settings.Kind, settings.Input);
        }

        return [new ScheduleProblem("input", "A schedule needs the input of its runs.")];
    }

    private IEnumerable<ScheduleProblem> Workflow(string kind, JsonElement input)
    {
        if (catalog.Find(kind ?? "") is not { } definition)
        {
            yield return new ScheduleProblem("kind", $"There is no workflow '{kind}' in this process.");
            yield break;
        }

        if (Encoding.UTF8.GetByteCount(input.GetRawText()) is var size && size > Text.JsonLimit)
        {
            yield return new ScheduleProblem("input", $"The input has {size / 1024:N0} KiB as JSON; a run takes at most {Text.JsonLimit / 1024} KiB.");
            yield break;
        }

        string? why = null;
        try
        {
            var stored = Text.Json(input);
            definition.Build(stored);
            definition.Title(stored);
        }
        catch (Exception fault)
        {
            why = text.OneLine(Words.Of(fault));
        }

        if (why is not null)
        {
            yield return new ScheduleProblem("input", $"The plan of '{kind}' cannot be made from this input: {why}");
        }
    }

    private IEnumerable<ScheduleProblem> Times(ScheduleSettings settings)
    {
        var problems = new List<ScheduleProblem>();
        if (settings.Cron is null == settings.Every is null)
        {
            problems.Add(new ScheduleProblem("cron", "A schedule has either a cron expression or an interval."));
        }

        if (settings.Every is { } every && (every < Shortest || every > Longest || every.Ticks % TimeSpan.TicksPerSecond != 0))
        {
            problems.Add(new ScheduleProblem("every", $"An interval has whole seconds, 1 s to {Longest.Days} days; {every} was given."));
        }

        if (settings.Cron is { } cron && CronFault(cron) is { } fault)
        {
            problems.Add(new ScheduleProblem("cron", fault));
        }

        if (!KnownZone(settings.TimeZone))
        {
            problems.Add(new ScheduleProblem("timeZone", $"There is no time zone '{settings.TimeZone}'; give its IANA name, such as Europe/Prague."));
        }

        return problems.Count > 0 ? problems : Gaps(settings);
    }

    private IEnumerable<ScheduleProblem> Gaps(ScheduleSettings settings)
    {
        var timing = new ScheduleTiming(settings.Cron, settings.Every, settings.TimeZone);
        var times = timing.Next(timing.First(time.GetUtcNow()), GapsLookedAt);
        if (times.Count == 0)
        {
            yield return new ScheduleProblem("cron", $"'{settings.Cron}' never comes.");
            yield break;
        }

        var gap = times.Zip(times.Skip(1), (a, b) => b - a).DefaultIfEmpty(TimeSpan.MaxValue).Min();
        if (settings.Jitter < TimeSpan.Zero || (settings.Jitter > TimeSpan.Zero && settings.Jitter >= gap))
        {
            yield return new ScheduleProblem("jitter",
                $"The jitter must be shorter than the time from one run to the next, {Words.Duration(gap)}; {Words.Duration(settings.Jitter)} was given.");
        }
    }

    private static string? CronFault(string cron)
    {
        if (cron.Length > TextCharacters)
        {
            return $"A cron expression has at most {TextCharacters} characters.";
        }

        try
        {
            ScheduleTiming.Parse(cron);
            return null;
        }
        catch (CronFormatException fault)
        {
            return $"'{cron}' is no cron expression of five fields, or of six beginning with seconds: {fault.Message}";
        }
    }

    private static bool KnownZone(string? name)
    {
        if (name is not { Length: > 0 and <= ZoneCharacters } || !ZoneRule().IsMatch(name))
        {
            return false;
        }

        try
        {
            ScheduleTiming.Zone(name);
            return true;
        }
        catch (Exception fault) when (fault is TimeZoneNotFoundException or InvalidTimeZoneException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9.-]{0,99}\z")]
    private static partial Regex NameRule();

    [GeneratedRegex(@"^[A-Za-z0-9_+/-]+\z")]
    private static partial Regex ZoneRule();
}
