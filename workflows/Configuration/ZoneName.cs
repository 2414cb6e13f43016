using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Configuration;

/// <summary>The name of a zone: lower case, without a final dot, and nothing in it that means something to a shell or a configuration file. A slash does to a file's name: see <see cref="KnotConfiguration.ZoneFile"/>.</summary>
[JsonConverter(typeof(ZoneNameJson))]
public readonly record struct ZoneName : IComparable<ZoneName>
{
    // Underscore: service zones (_tcp.example.org) are delegated now and then. Slash: so are parts of a network (0/26.2.0.192.in-addr.arpa, RFC 2317).
    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_/");

    private readonly string? value;

    private ZoneName(string value) => this.value = value;

    /// <summary>As in <c>example.org</c>.</summary>
    public string Value => value ?? throw new InvalidOperationException("This zone name was never parsed.");

    /// <summary>As in <c>example.org.</c></summary>
    public string Absolute => Value + ".";

    /// <exception cref="InvalidInputException">Names <paramref name="field"/> and the rule.</exception>
    public static ZoneName Parse(string? text, string field = "zone") =>
        TryParse(text, out var name, out var rule) ? name : throw new InvalidInputException(field, rule);

    public static bool TryParse(string? text, out ZoneName name, [NotNullWhen(false)] out string? rule)
    {
        name = default;
        rule = Broken(text, out var normal);
        if (rule is null)
        {
            name = new ZoneName(normal!);
        }

        return rule is null;
    }

    public int CompareTo(ZoneName other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => value ?? "";

    public static bool operator <(ZoneName left, ZoneName right) => left.CompareTo(right) < 0;
    public static bool operator <=(ZoneName left, ZoneName right) => left.CompareTo(right) <= 0;
    public static bool operator >(ZoneName left, ZoneName right) => left.CompareTo(right) > 0;
    public static bool operator >=(ZoneName left, ZoneName right) => left.CompareTo(right) >= 0;

    private static string? Broken(string? text, out string? normal)
    {
        normal = null;
        if (string.IsNullOrEmpty(text))
        {
            return "A zone needs a name, as in example.org.";
        }

        if (text.Length > 254)
        {
            return "A zone's name has at most 253 characters.";
        }

        if (text.Any(c => c > 127))
        {
            return "Write an international name in its ASCII form (A-label, xn--…), as in xn--bcher-kva.example.";
        }

        var lower = (text.EndsWith('.') ? text[..^1] : text).ToLowerInvariant();
        if (lower.Length > 253)
        {
            return "A zone's name has at most 253 characters.";
        }

        foreach (var label in lower.Split('.'))
        {
            if (label.Length is 0 or > 63)
            {
                return "Each part of a zone's name between two dots has 1 to 63 characters.";
            }

            if (label.AsSpan().ContainsAnyExcept(Allowed) || label[0] is '-' or '/' || label[^1] is '-' or '/')
            {
                return "A zone's name is made of letters, digits, '-', '_' and '/', and no part starts or ends with '-' or '/'.";
            }
        }

        normal = lower;
        return null;
    }

    private sealed class ZoneNameJson : JsonConverter<ZoneName>
    {
        public override ZoneName Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var name, out var rule) ? name : throw new JsonException(rule);

        public override void Write(Utf8JsonWriter writer, ZoneName value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
    }
}
