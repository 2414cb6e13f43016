using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What an operator wants DNS to serve.</summary>
public sealed record DnsConfiguration
{
    public required IReadOnlyList<ZoneRequest> Zones { get; init; }
    public required IReadOnlyList<ListenRequest> Listen { get; init; }
}

/// <summary>What an operator wants a component to serve, as it is kept, and the files that the component reads.</summary>
internal sealed class ComponentConfiguration
{
    private readonly Func<IReadOnlyList<string>, SortedDictionary<string, byte[]>> files;

    private ComponentConfiguration(string component, JsonElement document, string contents, Func<IReadOnlyList<string>, SortedDictionary<string, byte[]>> files) =>
        (Component, Document, Contents, this.files) = (component, document, contents, files);

    public string Component { get; }

    public JsonElement Document { get; }

    /// <summary>What is in it, for people: <c>2 zones</c>.</summary>
    public string Contents { get; }

    public static ComponentConfiguration Of(DnsConfiguration dns)
    {
        var zones = dns.Zones.ToDictionary(z => ZoneName.Parse(z.Name), z => z.File!);
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["knot.conf"] = Encoding.UTF8.GetBytes(KnotConfiguration.Render(zones.Keys, dns.Listen.Select(l => ListenAddress.Parse(l.Address, l.Port)))),
        };
        foreach (var (name, text) in zones)
        {
            found[$"zones/{KnotConfiguration.ZoneFile(name)}"] = Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n") + (text.EndsWith('\n') ? "" : "\n"));
        }

        return new ComponentConfiguration(Provisioning.Component.Dns, JsonSerializer.SerializeToElement(dns, EngineJson.Options), Count(zones.Count, "zone"), _ => found);
    }

    public static ComponentConfiguration Of(KeaConfiguration dhcp) => new(Provisioning.Component.Dhcp, dhcp.Document, Count(dhcp.Subnets.Count, "subnet"),
        interfaces => new SortedDictionary<string, byte[]> { [KeaConfiguration.FileName] = Encoding.UTF8.GetBytes(dhcp.Render(interfaces).Text) });

    /// <param name="document">As <see cref="Document"/> was kept.</param>
    public static ComponentConfiguration Of(string component, JsonElement document) =>
        component == Provisioning.Component.Dhcp ? Of(KeaConfiguration.Parse(document)) : Of(document.Deserialize<DnsConfiguration>(EngineJson.Options)!);

    /// <summary>The files for a host, by their paths below the folder of the configuration, and the first 16 digits of the SHA-256 over all of them.</summary>
    /// <param name="interfaces">Of the host, for DHCP.</param>
    public (SortedDictionary<string, byte[]> Files, string Digest) For(IReadOnlyList<string> interfaces)
    {
        var all = files(interfaces);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, content) in all)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{content.Length}\0"));
            hash.AppendData(content);
        }

        return (all, Convert.ToHexStringLower(hash.GetHashAndReset())[..16]);
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
