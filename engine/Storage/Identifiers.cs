using System.Text;

namespace ManagedServers.Engine;

/// <summary>
/// Texts by which somebody or something is found again: who, subjects, keys, kinds, names. They are kept as they were given or refused; what is kept to be read is
/// cleaned instead, by <see cref="Text"/>.
/// </summary>
internal static class Identifiers
{
    public const int Longest = 200;

    /// <summary>How the keys begin under which the engine starts the runs of a parent's step.</summary>
    public const string ChildKey = "child:";

    /// <summary>How the keys begin under which the engine starts the runs of a schedule.</summary>
    public const string ScheduleKey = "schedule:";

    /// <exception cref="ArgumentException">It says nothing, is too long, or is no text that could be kept.</exception>
    public static void Require(string? text, string parameter, int longest = Longest)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > longest)
        {
            throw new ArgumentException(
                $"{parameter} has 1 to {longest} characters, and not only spaces; {(text is null ? "none was" : $"{text.Length:N0} were")} given.", parameter);
        }

        Allow(text, parameter);
    }

    /// <summary>For what is only looked for: nothing that is longer, or empty, would be found.</summary>
    /// <exception cref="UnstorableTextException">It is no text that could have been kept.</exception>
    public static void Allow(string? text, string parameter)
    {
        if (text is not null && !IsStorable(text))
        {
            throw new UnstorableTextException(parameter);
        }
    }

    /// <exception cref="ArgumentException">It says nothing, is too long, or is no text that could be kept.</exception>
    public static void Require(StartRun start)
    {
        Require(start.RequestedBy, nameof(start.RequestedBy));
        if (start.Subject is not null)
        {
            Require(start.Subject, nameof(start.Subject));
        }

        if (start.DedupeKey is not null)
        {
            Require(start.DedupeKey, nameof(start.DedupeKey));
            RefuseOwn(start.DedupeKey, nameof(start.DedupeKey));
        }
    }

    // Whoever could take one would have his own run counted as a child's or a firing's.
    private static void RefuseOwn(string key, string parameter)
    {
        if (key.StartsWith(ChildKey, StringComparison.Ordinal) || key.StartsWith(ScheduleKey, StringComparison.Ordinal))
        {
            throw new ArgumentException($"{parameter} must not begin with '{ChildKey}' or '{ScheduleKey}': such keys are the engine's own.", parameter);
        }
    }

    /// <summary>PostgreSQL's text holds neither NUL nor half of a surrogate pair.</summary>
    public static bool IsStorable(string text)
    {
        // Nearly always, and at once: log lines come this way too.
        if (!text.Contains('\0', StringComparison.Ordinal) && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return true;
        }

        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (rest[0] == '\0' || Rune.DecodeFromUtf16(rest, out _, out var used) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            rest = rest[used..];
        }

        return true;
    }
}
