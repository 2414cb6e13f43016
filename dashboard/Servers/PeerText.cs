using System.Net;
using ManagedServers.Workflows;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Dashboard.Servers;

/// <summary>Other servers of a zone, in one line of a form.</summary>
internal static class PeerText
{
    private const StringSplitOptions Plain = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    /// <summary><c>192.0.2.1, [2001:db8::1]:5353/xfr.example.org</c></summary>
    public static string Of(IEnumerable<RemoteServer> servers) => string.Join(", ", servers.Select(s =>
        (s.Port == 53 ? s.Address : new IPEndPoint(IPAddress.Parse(s.Address!), s.Port).ToString()) + (s.Key is null ? "" : $"/{s.Key}")));

    /// <summary><c>198.51.100.0/24, 192.0.2.53 key xfr.example.org, key xfr.example.org</c></summary>
    public static string Of(IEnumerable<TransferRule> rules) => string.Join(", ", rules.Select(r => string.Join(" ", new[] { r.Address, r.Key is null ? null : $"key {r.Key}" }.OfType<string>())));

    /// <exception cref="InvalidInputException">One is no address with or without a port.</exception>
    public static RemoteServer[] Servers(string field, string text) => [.. text.Split(',', Plain).Select(part =>
    {
        var slash = part.IndexOf('/', StringComparison.Ordinal);
        return IPEndPoint.TryParse(slash < 0 ? part : part[..slash].TrimEnd(), out var end)
            ? new RemoteServer(end.Address.ToString(), end.Port == 0 ? 53 : end.Port) { Key = slash < 0 ? null : part[(slash + 1)..].Trim() }
            : throw new InvalidInputException(field, $"has '{part}', which is no IP address with or without a port and the name of a key, as in 192.0.2.1:53/xfr.example.org");
    })];

    /// <summary>What is no rule is refused by the product, by its place.</summary>
    public static TransferRule[] Rules(string text) => [.. text.Split(',', Plain).Select(part =>
    {
        var words = part.Split(' ', Plain);
        var at = Array.IndexOf(words, "key");
        return at < 0 ? new TransferRule(part, null) : new TransferRule(at == 0 ? null : string.Join(' ', words[..at]), string.Join(' ', words[(at + 1)..]));
    })];
}
