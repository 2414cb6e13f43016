using System.Net;

namespace ManagedServers.Workflows.Configuration;

/// <summary>A zone as Knot's configuration has it, of types that hold nothing but what they are.</summary>
internal sealed record ServedZone(ZoneName Name)
{
    public IReadOnlyList<Remote> Primaries { get; init; } = [];
    public IReadOnlyList<Remote> Notify { get; init; } = [];
    public IReadOnlyList<Transfer> AllowTransfer { get; init; } = [];
    public bool Dnssec { get; init; }
    public bool WasSigned { get; init; }

    public bool IsSecondary => Primaries.Count > 0;

    /// <param name="zone">As <see cref="ConfigurationChecks"/> has let it pass.</param>
    public static ServedZone Of(Zone zone) => new(ZoneName.Parse(zone.Name))
    {
        Primaries = [.. zone.Primaries.Select(Remote.Of)], Notify = [.. zone.Notify.Select(Remote.Of)],
        AllowTransfer = [.. zone.AllowTransfer.Select(Transfer.Of)], Dnssec = zone.Dnssec, WasSigned = zone.WasSigned,
    };
}

internal sealed record Remote(ListenAddress At, ZoneName? Key)
{
    public static Remote Of(RemoteServer server) => new(ListenAddress.Parse(server.Address, server.Port), KeyName(server.Key));

    internal static ZoneName? KeyName(string? key) => key is null ? null : ZoneName.Parse(key, "key");
}

internal sealed record Transfer(IPNetwork? From, ZoneName? Key)
{
    public static Transfer Of(TransferRule rule) => new(rule.Address is null ? null
        : TryNetwork(rule.Address, out var network) ? network : throw new InvalidInputException("allowTransfer", $"{rule.Address} is no address and no network"), Remote.KeyName(rule.Key));

    /// <summary>The network of that address alone.</summary>
    internal static IPNetwork Only(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);

    /// <summary>A single address is a network of its own. One with more bits than the prefix has is none.</summary>
    internal static bool TryNetwork(string text, out IPNetwork network)
    {
        if (ListenAddress.TryAddress(text, out var single))
        {
            network = Only(single);
            return true;
        }

        return IPNetwork.TryParse(text, out network) && ListenAddress.TryAddress(text[..text.IndexOf('/', StringComparison.Ordinal)], out var first) && first.Equals(network.BaseAddress);
    }
}

/// <param name="Secret">Its bytes.</param>
internal sealed record ServedKey(ZoneName Name, string Algorithm, byte[] Secret)
{
    public static ServedKey Of(TsigKey key) => new(ZoneName.Parse(key.Name, "key"), TsigKey.Algorithms.Single(a => a == key.Algorithm), Convert.FromBase64String(key.Secret!));
}
