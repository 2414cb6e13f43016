using System.Text.Json;
using DnsClient;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What somebody has done to a host by hand, an install puts right.</summary>
public sealed class HandsOnTests
{
    private const string Zones = "/var/lib/managed-servers/dns/config/current/zones";
    private static readonly object Loopback = new { zones = new[] { new { name = "example.org", file = RegisteredHost.Zone, dnssec = true } }, listen = new[] { new { address = "127.0.0.1", port = 53 } } };

    [Fact]
    public async Task Changed_files_a_hanging_agent_and_a_paused_container_are_put_right_by_the_same_install_again()
    {
        await using var host = await RegisteredHost.Start();
        await Succeeds(host);
        await ChangedFilesAreWrittenAgain(host);
        await AHangingAgentIsRestarted(host);
        await APausedContainerGoesOn(host);
    }

    [Fact]
    public async Task Where_only_the_host_itself_can_ask_it_does_and_an_answer_that_does_not_come_fails_the_install()
    {
        await using var host = await RegisteredHost.Start();
        var run = await host.InstallAndWait(Loopback);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal("answered on the host itself; 127.0.0.1 cannot be asked from outside", RegisteredHost.Step(run, "prove-dns").GetProperty("summary").GetString());
        Assert.Contains("example.org is signed. Its parent zone needs: example.org. DS ", (await host.Get($"/api/v2/runs/{run.GetProperty("id").GetString()}/log?limit=500")).ToString(), StringComparison.Ordinal);
        Assert.Equal("127.0.0.1:53", await host.Lab.Run("ss -Hlnu 'sport = :53' | awk '{ print $4 }' | sort -u"));

        await host.Lab.Run("iptables -I INPUT -i lo -p udp --dport 53 -j REJECT");
        var mute = await host.InstallAndWait(Loopback);
        Assert.Equal("failed", RegisteredHost.State(mute));
        Assert.Contains("asked its own DNS on 127.0.0.1 port 53, and the SOA of example.org is not answered: [Errno 111] Connection refused", RegisteredHost.Reason(mute), StringComparison.Ordinal);
    }

    private static async Task ChangedFilesAreWrittenAgain(RegisteredHost host)
    {
        await host.Lab.Run($"sed -i 's/192.0.2.2/192.0.2.66/; s/ 1 3600/ 2 3600/' {Zones}/*; grep -q 192.0.2.66 {Zones}/*; docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock reload");
        await ProductProcess.Until(async () => await host.Www() == "192.0.2.66", "the wrong answer is served");

        var run = await Succeeds(host);

        Assert.Equal("192.0.2.2", await host.Www());
        Assert.Contains("again: the files on the host had been changed by hand", RegisteredHost.Step(run, "stage-dns").GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Equal("", await host.Lab.Run("find /var/lib/managed-servers -name '*.altered'"));
        await ChangesNothing(host);
    }

    private static async Task AHangingAgentIsRestarted(RegisteredHost host)
    {
        var hanging = await host.Lab.Run("pgrep -f 'agent[.]py run'");
        await host.Lab.Run($"kill -STOP {hanging}");
        var last = await LastBeat(host);

        var run = await Succeeds(host);

        Assert.True(RegisteredHost.Step(run, "install-agent").GetProperty("changed").GetBoolean(), RegisteredHost.Story(run));
        Assert.NotEqual(hanging, await host.Lab.Run("pgrep -f 'agent[.]py run'"));
        Assert.True(await LastBeat(host) > last);
        await ChangesNothing(host);
    }

    private static async Task APausedContainerGoesOn(RegisteredHost host)
    {
        await host.Lab.Pause("managed-servers-dns");
        await Succeeds(host);
        Assert.Equal("192.0.2.2", await host.Www());

        await host.Lab.Pause("managed-servers-dns", "managed-servers-monitor");
        var started = await host.Outcome((await host.Post("/api/v2/pvservers/ns1/start", new { })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(started) == "succeeded", RegisteredHost.Story(started));
        Assert.Equal("192.0.2.2", await host.Www());
        await ChangesNothing(host);
    }

    private static async Task<JsonElement> Succeeds(RegisteredHost host)
    {
        var run = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        return run;
    }

    /// <summary>And still sees a heartbeat of its own.</summary>
    private static async Task ChangesNothing(RegisteredHost host)
    {
        var last = await LastBeat(host);
        var run = await Succeeds(host);
        Assert.True(RegisteredHost.Reason(run) == "Nothing had to be changed.", RegisteredHost.Story(run));
        Assert.True(await LastBeat(host) > last);
    }

    private static async Task<DateTimeOffset> LastBeat(RegisteredHost host) =>
        (await host.Get("/api/v2/pvservers/ns1/heartbeats")).GetProperty("summary").GetProperty("lastAt").GetDateTimeOffset();
}
