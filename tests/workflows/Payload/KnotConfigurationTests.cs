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
    public void The_same_wish_gives_the_same_bytes()
    {
        ZoneName[] zones = [ZoneName.Parse("b.example"), ZoneName.Parse("a.example"), ZoneName.Parse("B.example.")];
        ListenAddress[] listen = [ListenAddress.Parse("::", 53), ListenAddress.Parse("0.0.0.0", 53)];

        Assert.Equal(KnotConfiguration.Render(zones, listen), KnotConfiguration.Render(zones.Reverse(), listen.Reverse().Concat(listen)));
    }
}
