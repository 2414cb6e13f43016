using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ManagedServers.Engine;

/// <summary>Text on its way into the database: without secrets, without what PostgreSQL refuses, and not longer than allowed.</summary>
internal sealed partial class Text(IEnumerable<IRedactor> redactors)
{
    /// <summary>UTF-8 bytes of a log line.</summary>
    public const int LineLimit = 4 * 1024;

    /// <summary>UTF-8 bytes of an error.</summary>
    public const int ErrorLimit = 8 * 1024;

    /// <summary>UTF-8 bytes of a summary or a reason.</summary>
    public const int SummaryLimit = 2 * 1024;

    /// <summary>UTF-8 bytes of what a plan tells of one change.</summary>
    public const int DetailLimit = 16 * 1024;

    /// <summary>UTF-8 bytes of an input or an output as JSON.</summary>
    public const int JsonLimit = 256 * 1024;

    private const int TitleCharacters = 200;

    private const int SentenceLimit = 600;

    // Redaction looks at more than is kept, so that a secret across the cut does not survive in part; but not at megabytes.
    private const int RedactedCharacters = 64 * 1024;

    private readonly IReadOnlyList<IRedactor> redactors = [.. redactors];

    public string Line(string text) => Clean(text, LineLimit);

    public string Error(string text) => Clean(text, ErrorLimit);

    public string Summary(string text) => Clean(text, SummaryLimit);

    public string Detail(string text) => Clean(text, DetailLimit);

    /// <summary>The start of a text as part of a one-line sentence.</summary>
    public string OneLine(string text)
    {
        var line = string.Join(' ', Clean(text, ErrorLimit).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return Cut(line, SentenceLimit, "");
    }

    /// <summary>A reason that somebody gave and what the engine adds to it, as the audits keep them; null when there is neither.</summary>
    public string? Why(string? why, string? detail = null)
    {
        var given = string.IsNullOrWhiteSpace(why) ? null : Summary(why.Trim());
        return given is null || detail is null ? given ?? detail : $"{given} {detail}";
    }

    /// <summary>The size of a JSON document that is over its limit, in KiB; null when it is not.</summary>
    public static int? KiBOverLimit(JsonElement json) => Encoding.UTF8.GetByteCount(json.GetRawText()) is var size && size > JsonLimit ? size / 1024 : null;

    /// <summary>One line of at most 200 characters.</summary>
    public string Title(string text)
    {
        var line = OneLine(text);
        return line.Length <= TitleCharacters ? line : line[..(char.IsHighSurrogate(line[TitleCharacters - 1]) ? TitleCharacters - 1 : TitleCharacters)];
    }

    /// <summary>
    /// The JSON as it can be kept. Inputs and results are what steps work with: redacted, a word that happens to be somebody's password would be another word. They hold
    /// no secrets by contract.
    /// </summary>
    public static JsonElement Json(JsonElement json)
    {
        if (!Escapes().IsMatch(json.GetRawText()))
        {
            return json;
        }

        try
        {
            return JsonSerializer.SerializeToElement(Walk(JsonNode.Parse(json.GetRawText())), EngineJson.Options);
        }
        catch (InvalidOperationException fault)
        {
            throw new UnstorableTextException(fault);
        }
    }

    private static JsonNode? Walk(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.Select(p => KeyValuePair.Create(p.Key, Walk(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(Walk)]),
        JsonValue v when v.TryGetValue<string>(out var text) => JsonValue.Create(Storable(text)),
        _ => node?.DeepClone(),
    };

    // A NUL, or either half of a surrogate pair: neither comes unescaped.
    [GeneratedRegex(@"\\u(?:0000|[dD][89a-fA-F])")]
    private static partial Regex Escapes();

    private string Clean(string text, int limit)
    {
        var whole = text.Length <= RedactedCharacters;
        var clean = Storable(Redact(whole ? text : text[..RedactedCharacters]));
        return whole && Encoding.UTF8.GetByteCount(clean) <= limit ? clean : Cut(clean, limit, $" … (cut; {text.Length:N0} characters in all)");
    }

    private string Redact(string text)
    {
        foreach (var redactor in redactors)
        {
            try
            {
                text = redactor.Redact(text);
            }
            catch (Exception fault)
            {
                return $"[left out: the redactor failed with {fault.GetType().Name}]";
            }
        }

        return text;
    }

    /// <summary>With � in place of what cannot be kept.</summary>
    public static string Storable(string text)
    {
        if (Identifiers.IsStorable(text))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            clean.Append(rune.Value == 0 ? Rune.ReplacementChar.ToString() : rune.ToString());
        }

        return clean.ToString();
    }

    private static string Cut(string text, int limit, string note)
    {
        var room = limit - Encoding.UTF8.GetByteCount(note);
        var kept = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
            {
                break;
            }

            kept += rune.Utf16SequenceLength;
        }

        return text[..kept] + note;
    }
}

/// <summary>What a caller gave is no text that could be kept: JSON with half of a surrogate pair, or a name or key with that or a NUL.</summary>
public sealed class UnstorableTextException : ArgumentException
{
    internal UnstorableTextException(Exception inner) : base("The JSON holds half of a surrogate pair, which is no text that could be kept.", inner) { }

    internal UnstorableTextException(string parameter) : base($"{parameter} holds a NUL or half of a surrogate pair, which cannot be kept as text.", parameter) { }
}
