using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What an operator wants a component to serve, as it is kept, and the files that the component reads.</summary>
internal sealed class ComponentConfiguration
{
    /// <summary>Ends the file of a zone that Knot signs. Knot reads a file again only if it is another one, and a zone that is signed from now on, or no longer, must be read again.</summary>
    public const string SignedMark = "; to be signed\n";

    private readonly Func<IReadOnlyList<string>, SortedDictionary<string, byte[]>> files;

    private ComponentConfiguration(
        string component, JsonElement document, string contents, IReadOnlyDictionary<string, string> served, Func<IReadOnlyList<string>, SortedDictionary<string, byte[]>> files) =>
        (Component, Document, Contents, Served, this.files) = (component, document, contents, served, files);

    public string Component { get; }

    public JsonElement Document { get; }

    /// <summary>Zones or subnets by name, each with what is served of it.</summary>
    public IReadOnlyDictionary<string, string> Served { get; }

    /// <summary>What is in it, for people: <c>2 zones</c>.</summary>
    public string Contents { get; }

    /// <summary>Its files depend on the interfaces of the host.</summary>
    public bool NeedsInterfaces { get; private init; }

    /// <summary>What Knot serves; null for another component.</summary>
    public DnsConfiguration? Dns { get; private init; }

    /// <summary>The subnets that Kea serves; null for another component.</summary>
    public IReadOnlyList<string>? Subnets { get; private init; }

    public static ComponentConfiguration Of(DnsConfiguration dns)
    {
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [KnotConfiguration.FileName] = Encoding.UTF8.GetBytes(KnotConfiguration.Render(dns.Zones.Select(ServedZone.Of), dns.Listen.Select(l => ListenAddress.Parse(l.Address, l.Port)), dns.Keys.Count > 0)),
        };
        if (dns.Keys.Count > 0)
        {
            found[KnotConfiguration.KeyFile] = Encoding.UTF8.GetBytes(KnotConfiguration.RenderKeys(dns.Keys.Select(ServedKey.Of)));
        }

        foreach (var zone in dns.Zones)
        {
            if (zone.File is { } text)
            {
                found[$"zones/{KnotConfiguration.ZoneFile(ZoneName.Parse(zone.Name))}"] = Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n") + (text.EndsWith('\n') ? "" : "\n") + (zone.Dnssec ? SignedMark : ""));
            }
        }

        return new ComponentConfiguration(Provisioning.Component.Dns, JsonSerializer.SerializeToElement(dns, EngineJson.Options), Count(dns.Zones.Count, "zone"),
            dns.Zones.ToDictionary(z => z.Name, z => z.Settings + z.File), _ => found) { Dns = dns };
    }

    public static ComponentConfiguration Of(KeaConfiguration dhcp) => new(Provisioning.Component.Dhcp, dhcp.Document, Count(dhcp.Subnets.Count, "subnet"), PartsOf(dhcp),
        interfaces => new SortedDictionary<string, byte[]> { [KeaConfiguration.FileName] = Encoding.UTF8.GetBytes(dhcp.Render(interfaces).Text) }) { Subnets = dhcp.Subnets, NeedsInterfaces = !dhcp.NamesInterfaces };

    /// <summary>What DNS is to serve, of a document as it was kept; null for another component.</summary>
    public static DnsConfiguration? Read(string component, JsonElement document) =>
        component == Provisioning.Component.Dns ? document.Deserialize<DnsConfiguration>(EngineJson.Options)! : null;

    /// <summary>The files for a host, by their paths below the folder of the configuration, and their digest.</summary>
    /// <param name="interfaces">Of the host, for DHCP.</param>
    public (SortedDictionary<string, byte[]> Files, string Digest) For(IReadOnlyList<string> interfaces)
    {
        var all = files(interfaces);
        return (all, DigestOf(all));
    }

    /// <summary>As <see cref="For"/>; the host is asked for its interfaces only where they matter.</summary>
    public async Task<SortedDictionary<string, byte[]>> FilesFor(IHost host, CancellationToken cancellationToken) => files(NeedsInterfaces ? (await host.Facts([], cancellationToken)).Interfaces : []);

    /// <summary>The first 16 digits of the SHA-256 over all files, their names included.</summary>
    public static string DigestOf(SortedDictionary<string, byte[]> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, content) in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{content.Length}\0"));
            hash.AppendData(content);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>The files that the other one has not, or has with other contents.</summary>
    public static IReadOnlyList<string> Differing(SortedDictionary<string, byte[]> files, SortedDictionary<string, byte[]> others) =>
        [.. files.Where(f => !others.TryGetValue(f.Key, out var other) || !f.Value.AsSpan().SequenceEqual(other)).Select(f => f.Key)];

    /// <summary>It asks for the same, in whatever order.</summary>
    public bool SameAs(ComponentConfiguration other) => Component == other.Component && (Dns, other.Dns) switch
    {
        ({ } own, { } others) => own.SameAs(others),
        _ => JsonElement.DeepEquals(Document, other.Document),
    };

    /// <summary>Each with its own part of the document: what holds for all of them may change too, and shows in the file.</summary>
    private static Dictionary<string, string> PartsOf(KeaConfiguration dhcp)
    {
        Dictionary<string, string> found = [];
        Collect(dhcp.Document);
        return found;

        void Collect(JsonElement owner)
        {
            foreach (var subnet in List(owner, "subnet4"))
            {
                found[subnet.GetProperty("subnet").GetString()!] = subnet.GetRawText();
            }

            foreach (var network in List(owner, "shared-networks"))
            {
                Collect(network);
            }
        }

        static IEnumerable<JsonElement> List(JsonElement owner, string name) => owner.TryGetProperty(name, out var list) ? list.EnumerateArray() : [];
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
