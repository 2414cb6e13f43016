using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Settings;

/// <summary>
/// Takes secrets out of text before it is written: every secret that this process has encrypted or decrypted, by value, and what looks like one by its shape.
/// </summary>
public sealed partial class SecretRedactor : IRedactor
{
    private const string Mask = "[secret]";

    // Shorter values occur in ordinary words; masking them would tell more than it hides.
    private const int ShortestByValue = 6;

    private readonly ConcurrentDictionary<string, byte> known = new();
    private volatile string[] byLength = [];

    public void Learn(string secret)
    {
        // A key is quoted line by line where it is quoted at all.
        foreach (var line in secret.Split('\n', StringSplitOptions.TrimEntries).Where(l => l.Length >= ShortestByValue && !l.StartsWith("-----", StringComparison.Ordinal)))
        {
            if (known.TryAdd(line, 0))
            {
                byLength = [.. known.Keys.OrderByDescending(s => s.Length)];
            }
        }
    }

    /// <summary>Whether a secret that this process knows stands in the text.</summary>
    public bool Holds(string text) => Redact(text) != text;

    public string Redact(string text)
    {
        foreach (var secret in byLength)
        {
            text = text.Replace(secret, Mask, StringComparison.Ordinal);
        }

        return Authorization().Replace(PrivateKey().Replace(text, Mask), "$1" + Mask);
    }

    [GeneratedRegex(@"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)", RegexOptions.Singleline)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"\b((?:Bearer|Basic)\s+)[A-Za-z0-9+/_=.\-]{12,}", RegexOptions.IgnoreCase)]
    private static partial Regex Authorization();
}
