using System.Text.Json;
using System.Text.Json.Serialization;
using ManagedServers.Engine;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Configuration;

/// <summary>What an operator wants DNS to serve.</summary>
public sealed record DnsConfiguration
{
    public required IReadOnlyList<Zone> Zones { get; init; }
    public required IReadOnlyList<ListenRequest> Listen { get; init; }

    /// <summary>Those that the zones name.</summary>
    public IReadOnlyList<TsigKey> Keys { get; init; } = [];

    /// <summary>In place of what was served: where a zone was signed until now, its serial goes on from there. With its file's it would go back, and secondaries would keep what they have (RFC 1982).</summary>
    internal DnsConfiguration After(DnsConfiguration served)
    {
        var counted = served.Zones.Where(z => z.Dnssec || z.WasSigned).Select(z => z.Name).ToHashSet();
        return this with { Zones = [.. Zones.Select(z => z with { WasSigned = !z.IsSecondary && !z.Dnssec && (z.WasSigned || counted.Contains(z.Name)) })] };
    }

    /// <summary>As people may see it, and ask for it again.</summary>
    public DnsConfiguration WithoutSecrets() => this with { Zones = [.. Zones.Select(z => z with { WasSigned = false })], Keys = [.. Keys.Select(k => k with { Secret = null })] };

    internal bool SameAs(DnsConfiguration other) => Listen.ToHashSet().SetEquals(other.Listen) && Keys.ToHashSet().SetEquals(other.Keys)
        && Zones.OrderBy(z => z.Name, StringComparer.Ordinal).SequenceEqual(other.Zones.OrderBy(z => z.Name, StringComparer.Ordinal));
}

/// <summary>A zone as it is kept and served.</summary>
/// <param name="File">The zone file's text; null for a secondary zone, whose contents are its primaries'.</param>
public sealed record Zone(string Name, string? File)
{
    /// <summary>Where a secondary zone comes from; the first one that answers.</summary>
    public IReadOnlyList<RemoteServer> Primaries { get; init; } = [];

    /// <summary>Servers that are told of a new serial, and may transfer the zone.</summary>
    public IReadOnlyList<RemoteServer> Notify { get; init; } = [];

    /// <summary>Who else may transfer it.</summary>
    public IReadOnlyList<TransferRule> AllowTransfer { get; init; } = [];

    /// <summary>Knot signs it.</summary>
    public bool Dnssec { get; init; }

    /// <summary>Knot has signed it, and counts its serial on, whatever the file says. The product's to know: nobody asks for it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool WasSigned { get; init; }

    [JsonIgnore]
    public bool IsSecondary => File is null;

    /// <summary>The serial that Knot answers with is the zone file's: a secondary's is its primary's, and of a zone that it signs or has signed Knot counts on.</summary>
    [JsonIgnore]
    public bool HasOwnSerial => !IsSecondary && !Dnssec && !WasSigned;

    /// <summary>The names of the keys with which it is transferred, one for each place.</summary>
    internal IEnumerable<string> KeyNames => Primaries.Concat(Notify).Select(r => r.Key).Concat(AllowTransfer.Select(r => r.Key)).OfType<string>();

    /// <summary>All but the contents, as it is compared; null where nothing is special.</summary>
    internal string? Settings => IsSecondary || Dnssec || WasSigned || Notify.Count > 0 || AllowTransfer.Count > 0 ? JsonSerializer.Serialize(this with { File = null }, EngineJson.Options) : null;

    public bool Equals(Zone? other) => other is not null && Name == other.Name && File == other.File && Settings == other.Settings;

    public override int GetHashCode() => HashCode.Combine(Name, File);
}

/// <summary>Another DNS server.</summary>
public sealed record RemoteServer(string? Address, int Port = 53)
{
    /// <summary>The name of the key with which both sides sign; null for none.</summary>
    public string? Key { get; init; }
}

/// <summary>Who may transfer a zone: from an address, with a key, or both.</summary>
/// <param name="Address">One, or a network as in <c>192.0.2.0/24</c>; null for any.</param>
/// <param name="Key">The name of one; null for none.</param>
public sealed record TransferRule(string? Address, string? Key);

/// <summary>A key for transfers (TSIG, RFC 8945).</summary>
/// <param name="Secret">Base64. Null where it is not shown, and where the served one is meant.</param>
public sealed record TsigKey(string? Name, string? Algorithm = TsigKey.DefaultAlgorithm, string? Secret = null)
{
    public const string DefaultAlgorithm = "hmac-sha256";

    public static IReadOnlyList<string> Algorithms { get; } = ["hmac-sha224", DefaultAlgorithm, "hmac-sha384", "hmac-sha512", "hmac-sha1", "hmac-md5"];

    public override string ToString() => $"{Name} ({Algorithm})";
}
