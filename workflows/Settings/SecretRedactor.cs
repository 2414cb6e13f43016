using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Settings;

/// <summary>
/// Takes secrets out of text before it is written: every secret that the product keeps, by value, and what looks like one by its shape.
/// </summary>
public sealed partial class SecretRedactor : IRedactor
{
    /// <summary>Passwords of fewer characters are refused: nothing could tell them from what else a text says.</summary>
    public const int ShortestPassword = 4;

    private const string Mask = "[secret]";

    // Shorter values occur inside ordinary words; they are masked only where they stand alone.
    private const int ShortestAnywhere = SecretIndex.Window;

    private volatile Known known = new();
    private volatile Known? former;

    /// <summary>Learns a secret as it is encrypted: a value, several lines of one, or a JSON object of them.</summary>
    public void Learn(string secret)
    {
        foreach (var value in Values(secret))
        {
            // A key is quoted line by line where it is quoted at all.
            foreach (var line in value.Split('\n', StringSplitOptions.TrimEntries).Where(l => !l.StartsWith("-----", StringComparison.Ordinal)))
            {
                LearnLine(line);
                if (line.AsSpan().ContainsAny('"', '\\'))
                {
                    // As the product's own log, which is JSON, has it.
                    LearnLine(line.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal));
                }
            }
        }
    }

    /// <summary>
    /// Begins to forget: what is not learned again until <see cref="Forget"/> is forgotten then. A password that nobody uses any more would otherwise be masked in all texts
    /// for ever, names of zones and folders among them.
    /// </summary>
    public void BeginAnew() => (former, known) = (known, new Known());

    /// <summary>Ends what <see cref="BeginAnew"/> began.</summary>
    public void Forget() => former = null;

    public string Redact(string text) => Authorization().Replace(Token().Replace(PrivateKey().Replace(Masked(text), Mask), Mask), "$1" + Mask);

    private void LearnLine(string line)
    {
        // What has the shape of a token need not be known by value.
        if (line.Length >= ShortestAnywhere && Token().Match(line).Length != line.Length)
        {
            known.Anywhere.Add(line);
        }
        else if (line.Length is >= ShortestPassword and < ShortestAnywhere)
        {
            known.Alone.TryAdd(line, 0);
        }
    }

    private string Masked(string text)
    {
        List<(int From, int To)> found = [];
        foreach (var generation in new[] { known, former }.OfType<Known>())
        {
            found.AddRange(generation.Anywhere.Find(text));
            if (!generation.Alone.IsEmpty)
            {
                Alone(generation, text, found);
            }
        }

        if (found.Count == 0)
        {
            return text;
        }

        found.Sort();
        var (masked, at) = (new StringBuilder(text.Length), 0);
        foreach (var (from, to) in found)
        {
            if (from >= at)
            {
                masked.Append(text, at, from - at).Append(Mask);
            }

            at = Math.Max(at, to);
        }

        return masked.Append(text, at, text.Length - at).ToString();
    }

    private static void Alone(Known generation, string text, List<(int From, int To)> found)
    {
        var words = generation.Alone.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var from = 0; from + ShortestPassword <= text.Length; from++)
        {
            for (var length = ShortestPassword; IsEdge(text, from) && length < ShortestAnywhere && from + length <= text.Length; length++)
            {
                if (IsEdge(text, from + length) && words.ContainsKey(text.AsSpan(from, length)))
                {
                    found.Add((from, from + length));
                }
            }
        }
    }

    private sealed class Known
    {
        public SecretIndex Anywhere { get; } = new();
        public ConcurrentDictionary<string, byte> Alone { get; } = new();
    }

    private static bool IsEdge(string text, int at) => at == 0 || at == text.Length || !char.IsLetterOrDigit(text[at - 1]) || !char.IsLetterOrDigit(text[at]);

    private static List<string> Values(string secret)
    {
        if (!secret.StartsWith('{'))
        {
            return [secret];
        }

        try
        {
            using var json = JsonDocument.Parse(secret);
            return [.. json.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String).Select(p => p.Value.GetString()!)];
        }
        catch (JsonException)
        {
            return [secret];
        }
    }

    [GeneratedRegex(@"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)", RegexOptions.Singleline)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"\b((?:Bearer|Basic)\s+)[A-Za-z0-9+/_=.\-]{12,}", RegexOptions.IgnoreCase)]
    private static partial Regex Authorization();

    /// <summary>As <see cref="Access.Tokens.NewText"/> makes them.</summary>
    [GeneratedRegex("ms_[A-Za-z0-9_-]{43}")]
    private static partial Regex Token();
}
