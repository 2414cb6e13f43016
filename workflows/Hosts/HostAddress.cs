using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Hosts;

/// <summary>Where a host is reached: a full or short DNS name, an IPv4 or an IPv6 address. Cannot hold anything else.</summary>
[JsonConverter(typeof(ParsedJsonConverter<HostAddress>))]
public sealed record HostAddress : IParsed<HostAddress>
{
    private const int LongestName = 253;
    private const int LongestLabel = 63;

    private HostAddress(string text, bool isIPv6) => (Text, IsIPv6) = (text, isIPv6);

    /// <summary>Lower case, without a final dot; IPv6 in its short form, without brackets.</summary>
    public string Text { get; }

    public bool IsIPv6 { get; }

    /// <summary>As it stands before a port: IPv6 in brackets.</summary>
    public string InUrl => IsIPv6 ? $"[{Text}]" : Text;

    public static bool TryParse(string? text, [NotNullWhen(true)] out HostAddress? address, [NotNullWhen(false)] out string? brokenRule)
    {
        address = null;
        brokenRule = null;
        if (string.IsNullOrEmpty(text))
        {
            brokenRule = "must be a host name, an IPv4 or an IPv6 address";
            return false;
        }

        if (text.Contains(':', StringComparison.Ordinal))
        {
            return TryParseIPv6(text, out address, out brokenRule);
        }

        // Only digits and dots: an IPv4 address or a mistake. IPAddress alone would accept "1" and "0x7f.1".
        if (text.All(c => c == '.' || char.IsAsciiDigit(c)))
        {
            return TryParseIPv4(text, out address, out brokenRule);
        }

        var name = text.EndsWith('.') ? text[..^1] : text;
        brokenRule = BrokenRuleOfName(name);
        address = brokenRule is null ? new HostAddress(name.ToLowerInvariant(), false) : null;
        return address is not null;
    }

    public static HostAddress Parse(string text) =>
        TryParse(text, out var address, out var rule) ? address : throw new FormatException($"The address {rule}.");

    public override string ToString() => Text;

    private static bool TryParseIPv6(string text, [NotNullWhen(true)] out HostAddress? address, [NotNullWhen(false)] out string? brokenRule)
    {
        var bare = text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text;
        var valid = bare.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.')
            && IPAddress.TryParse(bare, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6;
        address = valid ? new HostAddress(IPAddress.Parse(bare).ToString(), true) : null;
        brokenRule = valid ? null : "must be an IPv6 address without port and zone, for example 2001:db8::10, when it has a colon; the port has a field of its own";
        return valid;
    }

    private static bool TryParseIPv4(string text, [NotNullWhen(true)] out HostAddress? address, [NotNullWhen(false)] out string? brokenRule)
    {
        var parts = text.Split('.');
        var valid = parts.Length == 4 && parts.All(p => p.Length is >= 1 and <= 3 && (p.Length == 1 || p[0] != '0') && int.Parse(p, null) <= 255);
        address = valid ? new HostAddress(text, false) : null;
        brokenRule = valid ? null : "must have four numbers from 0 to 255, without leading zeros, when it is an IPv4 address";
        return valid;
    }

    private static string? BrokenRuleOfName(string name)
    {
        if (name.Length is 0 or > LongestName)
        {
            return $"must have 1 to {LongestName} characters";
        }

        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'))
        {
            return "may contain only the letters a to z, digits, dashes and dots (write an international name in its xn-- form)";
        }

        var labels = name.Split('.');
        if (labels.Any(label => label.Length is 0 or > LongestLabel || label[0] == '-' || label[^1] == '-'))
        {
            return $"must have 1 to {LongestLabel} characters between its dots, none of these parts beginning or ending with a dash";
        }

        // The system's resolver would take 0x7f000001 and 10.0.0.0x1 for IPv4 addresses.
        var last = labels[^1].StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? labels[^1][2..] : labels[^1];
        return last.All(last.Length < labels[^1].Length ? char.IsAsciiHexDigit : char.IsAsciiDigit)
            ? "must have four numbers from 0 to 255, without leading zeros, when it is an IPv4 address"
            : null;
    }
}
