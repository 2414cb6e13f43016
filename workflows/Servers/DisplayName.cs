using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <summary>What operators call a server: one line that can be printed anywhere.</summary>
public sealed record DisplayName : IParsed<DisplayName>
{
    private const int Longest = 100;

    private DisplayName(string text) => Text = text;

    public string Text { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out DisplayName? value, [NotNullWhen(false)] out string? brokenRule)
    {
        var trimmed = text?.Trim() ?? "";
        value = null;
        brokenRule = trimmed switch
        {
            "" => "must not be empty",
            { Length: > Longest } => $"must have at most {Longest} characters (it has {trimmed.Length})",
            _ when trimmed.EnumerateRunes().Any(IsInvisible) => "must be one line of visible characters, without line breaks, tabs and control characters",
            _ when Guid.TryParse(trimmed, out _) => "must not look like an identifier (a UUID), because servers can be addressed by either",
            ['-', ..] => "must not begin with a dash, because it would be taken for an option",
            "." or ".." => "must not be a dot or two, because it is part of addresses",
            _ when trimmed.Contains('/', StringComparison.Ordinal) => "must not contain a slash, because it is part of addresses",
            _ => null,
        };
        if (brokenRule is null)
        {
            value = new DisplayName(trimmed);
        }

        return value is not null;
    }

    public override string ToString() => Text;

    // Format characters include those that turn the reading direction and so make one name look like another.
    private static bool IsInvisible(Rune c) =>
        c == Rune.ReplacementChar || Rune.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
