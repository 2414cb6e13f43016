using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Tests.Payload;

public sealed class KnotConfigurationTests(ProductImages images) : IClassFixture<ProductImages>
{
    [Fact]
    public async Task Knot_itself_takes_the_configuration_whatever_the_zones_are_called()
    {
        Assert.NotNull(images);
        await using var pair = new KnotPair();
        await pair.Prepare("example.org", "include", "zone", "acl.template", "_dmarc.x", "1", "2.0.192.in-addr.arpa", "0/26.2.0.192.in-addr.arpa", "0_26.2.0.192.in-addr.arpa", "a--b.c", new string('a', 63) + ".org", "on", "null");

        Assert.Equal((0, "Configuration is valid"), (await pair.Check("/usr/sbin/knotc", "-c", "/etc/knot/knot.conf", "conf-check")) is var said ? (said.ExitCode, said.Stdout.Trim()) : default);
        Assert.Equal(0, (await pair.Check("/usr/bin/kzonecheck", "-o", "include.", $"{KnotConfiguration.ZoneFolder}/include.zone")).ExitCode);
    }

    [Fact]
    public async Task A_server_without_zones_is_a_valid_configuration()
    {
        await using var pair = new KnotPair();
        await pair.Prepare();

        var (exitCode, stdout, stderr) = await pair.Check("/usr/sbin/knotc", "-c", "/etc/knot/knot.conf", "conf-check");
        Assert.True(exitCode == 0, stdout + stderr);
    }

    [Fact]
    public async Task Knot_itself_takes_secondary_and_signed_zones_keys_and_rules()
    {
        Assert.NotNull(images);
        await using var pair = new KnotPair();
        await pair.Prepare("example.org", "example.net");
        ServedZone[] zones =
        [
            new(ZoneName.Parse("example.org")) { Dnssec = true, Notify = [At("192.0.2.53", "xfr.example.org"), At("2001:db8::53")], AllowTransfer = [From("198.51.100.0/24"), From("2001:db8::/32", "on"), From(null, "on")] },
            Zone("example.net") with { WasSigned = true },
            new(ZoneName.Parse("2.0.192.in-addr.arpa")) { Primaries = [At("192.0.2.1", "on"), At("192.0.2.1", "xfr.example.org"), At("2001:db8::1")], Notify = [At("2001:db8::53")] },
        ];
        await pair.Write("knot.conf", KnotConfiguration.Render(zones, [ListenAddress.Parse("127.0.0.1", pair.Port)], hasKeys: true));
        await pair.Write("keys.conf", KnotConfiguration.RenderKeys([Key("xfr.example.org"), Key("on", "hmac-sha512")]));

        var checkedConf = await pair.Check("/usr/sbin/knotc", "-c", "/etc/knot/knot.conf", "conf-check");
        Assert.True(checkedConf == (0, "Configuration is valid\n", checkedConf.Stderr), checkedConf.ToString());
        var checkedZones = await pair.Check(KnotConfiguration.Check(new DnsConfiguration { Listen = [], Zones = [new Zone("example.org", "x"), new Zone("example.net", "x"), new Zone("2.0.192.in-addr.arpa", null)] }));
        Assert.True(checkedZones.ExitCode == 0, checkedZones.ToString());
    }

    [Fact]
    public void The_same_wish_gives_the_same_bytes()
    {
        ServedZone[] zones = [Zone("b.example"), Zone("a.example"), Zone("B.example.")];
        ListenAddress[] listen = [ListenAddress.Parse("::", 53), ListenAddress.Parse("0.0.0.0", 53)];

        Assert.Equal(KnotConfiguration.RenderKeys([Key("a"), Key("b")]), KnotConfiguration.RenderKeys([Key("b"), Key("a")]));
        Assert.Equal(KnotConfiguration.Render(zones, listen), KnotConfiguration.Render(zones.AsEnumerable().Reverse(), listen.Reverse().Concat(listen)));
    }

    private static ServedZone Zone(string name) => new(ZoneName.Parse(name));

    private static Remote At(string address, string? key = null) => Remote.Of(new RemoteServer(address) { Key = key });

    private static Transfer From(string? address, string? key = null) => Transfer.Of(new TransferRule(address, key));

    private static ServedKey Key(string name, string algorithm = "hmac-sha256") => ServedKey.Of(new TsigKey(name, algorithm, "YSBzZWNyZXQgb2YgdGhlIHRlc3Rz"));
}
