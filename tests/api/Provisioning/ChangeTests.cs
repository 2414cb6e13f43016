using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;

namespace ManagedServers.Tests.Provisioning;

/// <summary>Installing again what has changed.</summary>
public sealed class ChangeTests
{
    private const string ShortZone = "@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n";
    private static readonly string LongName = $"{new string('a', 63)}.{new string('b', 63)}.{new string('c', 63)}.{new string('d', 30)}.org";

    [Fact]
    public async Task Other_addresses_are_bound_zones_go_only_when_told_and_old_configurations_do_not_pile_up()
    {
        await using var host = await RegisteredHost.Start();
        await Succeeds(host, new { zones = new[] { Example } });
        await OtherAddressesAreBound(host);

        await Succeeds(host, new { zones = new[] { Example, Long }, listen = new[] { new { address = "0.0.0.0", port = 53 } } });
        Assert.True((await host.Ask(LongName, QueryType.SOA)).Header.HasAuthorityAnswer);

        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install", new { zones = new[] { Long } }).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("would no longer serve example.org, which ns1 serves now", problem.GetProperty("errors").GetProperty("zones")[0].GetString(), StringComparison.Ordinal);
        await Succeeds(host, new { zones = new[] { Long }, dropZones = true });
        Assert.Equal(DnsHeaderResponseCode.Refused, (await host.Ask("example.org", QueryType.SOA)).Header.ResponseCode);

        Assert.Equal("2", await host.Lab.Run("ls -A /var/lib/managed-servers/dns/config | grep -cvx 'current\\|knot.conf\\|keys.conf\\|zones'"));
    }

    [Fact]
    public async Task A_password_that_is_a_word_of_a_zones_name_changes_no_zone_and_stands_in_no_command()
    {
        await using var host = await RegisteredHost.Start(alone: true);
        await host.Lab.Run("echo root:example | chpasswd");
        using var admin = host.Product.Admin();
        Assert.Equal(HttpStatusCode.OK, (await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1", new { password = "example" })).StatusCode);

        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install", new { zones = new[] { Example }, preCommands = new[] { new { name = "say it", command = "echo my example" } } }).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("holds a password, a key or a token", problem.GetProperty("errors").GetProperty("preCommands[0].command")[0].GetString(), StringComparison.Ordinal);

        await Succeeds(host, new { zones = new[] { Example } });
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
    }

    private static object Example => new { name = "example.org", file = RegisteredHost.Zone };

    private static object Long => new { name = LongName, file = ShortZone };

    private static async Task OtherAddressesAreBound(RegisteredHost host)
    {
        await Succeeds(host, new { zones = new[] { Example }, listen = new[] { new { address = host.Lab.Address, port = 5353 } } });
        Assert.Equal($"{host.Lab.Address}:5353", await host.Lab.Run("ss -Hlnu '( sport = :53 or sport = :5353 )' | awk '{ print $4 }' | sort -u"));
        var again = await host.InstallAndWait(new { zones = new[] { Example }, listen = new[] { new { address = host.Lab.Address, port = 5353 } } });
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(again));
    }

    private static async Task Succeeds(RegisteredHost host, object request)
    {
        var run = await host.InstallAndWait(request);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
    }
}
