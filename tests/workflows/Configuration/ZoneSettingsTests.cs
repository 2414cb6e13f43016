using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Tests.Configuration;

/// <summary>What a zone is besides its contents: secondary, signed, transferred.</summary>
public sealed class ZoneSettingsTests
{
    private const string File = "@ SOA ns1 hostmaster 1 1 1 1 1\n";
    private static readonly TsigKey Xfr = new("xfr.example.org", "hmac-sha256", "YSBzZWNyZXQgb2YgdGhlIHRlc3Rz");

    private static readonly DnsConfiguration Served = new()
    {
        Listen = [],
        Keys = [Xfr],
        Zones =
        [
            new Zone("example.org", File) { Dnssec = true, Notify = [new RemoteServer("192.0.2.53") { Key = "xfr.example.org" }], AllowTransfer = [new TransferRule("192.0.2.0/24", null)] },
            new Zone("example.net", null) { Primaries = [new RemoteServer("192.0.2.1")] },
        ],
    };

    [Fact]
    public void What_is_not_named_of_a_zone_stays_as_it_is_served()
    {
        Assert.Equal(Served.Zones, Read(new ZoneRequest("example.org"), new ZoneRequest("EXAMPLE.net.")));

        var changed = Assert.Single(Read(new ZoneRequest("example.org", File + "www A 192.0.2.1\n")));
        Assert.Equal((true, 1, 1), (changed.Dnssec, changed.Notify.Count, changed.AllowTransfer.Count));

        var plain = Assert.Single(Read(new ZoneRequest("example.org") { Dnssec = false, Notify = [], AllowTransfer = [] }));
        Assert.Equal(new Zone("example.org", File), plain);
    }

    [Fact]
    public void A_zone_becomes_secondary_and_primary_again()
    {
        var secondary = Assert.Single(Read(new ZoneRequest("example.org") { Primaries = [new RemoteServer("2001:DB8::1", 5353) { Key = "XFR.example.org." }], Dnssec = false }));
        Assert.Equal((null, "2001:db8::1", 5353, "xfr.example.org"), (secondary.File, secondary.Primaries[0].Address, secondary.Primaries[0].Port, secondary.Primaries[0].Key));

        var primary = Assert.Single(Read(new ZoneRequest("example.net", File)));
        Assert.Equal(new Zone("example.net", File), primary);
    }

    [Fact]
    public void Rules_that_are_broken_are_told_by_their_fields()
    {
        Assert.Equal(["zones[0].file"], Broken(new ZoneRequest("new.example") { Dnssec = true }));
        Assert.Equal(["zones[0].primaries"], Broken(new ZoneRequest("example.net", File) { Primaries = [new RemoteServer("192.0.2.1")] }));
        Assert.Equal(["zones[0].primaries"], Broken(new ZoneRequest("example.net") { Primaries = [] }));
        Assert.Equal(["zones[0].dnssec"], Broken(new ZoneRequest("example.org") { Primaries = [new RemoteServer("192.0.2.1")] }));
        Assert.Equal(["zones[0].dnssec"], Broken(new ZoneRequest("example.net") { Dnssec = true }));
        Assert.Equal(["zones[0].primaries[0].address", "zones[0].primaries[1].address", "zones[0].primaries[2].port", "zones[0].primaries[3].key"], Broken(new ZoneRequest("example.net")
        {
            Primaries = [new RemoteServer("ns1.example.org"), new RemoteServer("0.0.0.0"), new RemoteServer("192.0.2.1", 0), new RemoteServer("192.0.2.1") { Key = "a b" }],
        }));
        Assert.Equal(["zones[0].allowTransfer[0]", "zones[0].allowTransfer[1].address", "zones[0].allowTransfer[2].address", "zones[0].allowTransfer[3].address"], Broken(new ZoneRequest("example.org")
        {
            AllowTransfer = [new TransferRule(null, null), new TransferRule("192.0.2.1/24", null), new TransferRule("192.0.2.0/33", null), new TransferRule("192.0.2.0/24\n", null)],
        }));
        Assert.Equal(["zones[0].notify"], Broken(new ZoneRequest("example.org") { Notify = [.. Enumerable.Range(1, 17).Select(n => new RemoteServer($"192.0.2.{n}"))] }));
    }

    [Fact]
    public void A_key_keeps_its_secret_until_another_is_given_and_goes_with_the_last_zone_that_names_it()
    {
        Assert.Equal([Xfr], Keys(null, Served.Zones));
        Assert.Equal([Xfr], Keys([new TsigKey("XFR.example.org.")], Served.Zones));
        Assert.Equal([Xfr with { Secret = "YSBuZXcgc2VjcmV0IG9mIHRoZSB0ZXN0cw==" }], Keys([new TsigKey("xfr.example.org", "hmac-sha256", "YSBuZXcgc2VjcmV0IG9mIHRoZSB0ZXN0cw==")], Served.Zones));
        Assert.Equal([], Keys(null, [Served.Zones[1]]));
    }

    [Fact]
    public void Keys_that_are_no_keys_or_nobodys_or_missing_are_refused_and_their_secrets_are_not_repeated()
    {
        Assert.Equal(["keys[0].algorithm"], BrokenKeys([Xfr with { Algorithm = "hmac-sha256\n    secret: x" }], Served.Zones));
        Assert.Equal(["keys[0].secret"], BrokenKeys([Xfr with { Secret = "not base64!" }], Served.Zones));
        Assert.Equal(["keys[0].secret"], BrokenKeys([Xfr with { Algorithm = "hmac-sha512", Secret = null }], Served.Zones));
        Assert.Equal(["keys[0].secret"], BrokenKeys([Xfr with { Secret = "QUFB" }], Served.Zones));
        Assert.Equal(["keys[0].name"], BrokenKeys([Xfr with { Name = "a\nb" }], Served.Zones));
        Assert.Equal(["keys[1].name"], BrokenKeys([Xfr, Xfr], Served.Zones));
        Assert.Equal(["keys"], BrokenKeys([new TsigKey("other", "hmac-sha256", "YSBzZWNyZXQgb2YgdGhlIHRlc3Rz")], Served.Zones));
        Assert.Equal(["keys"], BrokenKeys(null, [new Zone("a.example", null) { Primaries = [new RemoteServer("192.0.2.1") { Key = "missing" }] }]));
        Assert.Equal("xfr.example.org (hmac-sha256)", Xfr.ToString());
        Assert.All(Served.WithoutSecrets().Keys, k => Assert.Null(k.Secret));
    }

    private static Zone[] Read(params ZoneRequest[] zones)
    {
        var errors = new InputErrors();
        var read = ConfigurationChecks.Zones("zones", zones, Served, errors);
        errors.ThrowIfAny();
        return read;
    }

    private static IEnumerable<string> Broken(params ZoneRequest[] zones) => Assert.Throws<InvalidInputException>(() => Read(zones)).Errors.Keys.Order(StringComparer.Ordinal);

    private static TsigKey[] Keys(IReadOnlyList<TsigKey>? asked, IReadOnlyList<Zone> zones)
    {
        var errors = new InputErrors();
        var read = ConfigurationChecks.Keys(asked, zones, Served, errors);
        errors.ThrowIfAny();
        return read;
    }

    private static IEnumerable<string> BrokenKeys(IReadOnlyList<TsigKey>? asked, IReadOnlyList<Zone> zones)
    {
        var refused = Assert.Throws<InvalidInputException>(() => Keys(asked, zones));
        Assert.DoesNotContain(refused.Errors.Values.SelectMany(rules => rules), rule => rule.Contains("YSBzZWNyZXQgb2YgdGhlIHRlc3Rz", StringComparison.Ordinal) || rule.Contains("not base64!", StringComparison.Ordinal));
        return refused.Errors.Keys.Order(StringComparer.Ordinal);
    }
}
