using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Hosts;

/// <summary>A login name on a host.</summary>
[JsonConverter(typeof(ParsedJsonConverter<SshUser>))]
public sealed record SshUser : IParsed<SshUser>
{
    // Directory users (SSSD, winbind) have longer names than the 32 of useradd, with dots, '@' and backslashes.
    private const int Longest = 128;

    private SshUser(string text) => Text = text;

    public static SshUser Root { get; } = new("root");

    public string Text { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out SshUser? value, [NotNullWhen(false)] out string? brokenRule)
    {
        brokenRule = text switch
        {
            null or "" or { Length: > Longest } => $"must have 1 to {Longest} characters",
            ['-', ..] => "must not begin with a dash",
            _ when !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '@' or '\\' or '$' or '+') =>
                "may contain only the letters a to z, digits and _ - . @ \\ $ +",
            _ => null,
        };
        value = brokenRule is null ? new SshUser(text!) : null;
        return value is not null;
    }

    public static SshUser Parse(string text) =>
        TryParse(text, out var user, out var rule) ? user : throw new FormatException($"The user {rule}.");

    public override string ToString() => Text;
}
