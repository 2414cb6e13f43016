using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>The install where systemd is process 1 and keeps Docker too, as on most servers.</summary>
public sealed class SystemdTests
{
    [Fact]
    public async Task On_a_host_with_systemd_agent_and_dns_are_kept_by_it_and_come_back_after_a_reboot_until_they_are_uninstalled()
    {
        await using var host = await RegisteredHost.Start(new LabOptions { Systemd = true });
        var before = await host.Footprint();
        var first = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(first) == "succeeded", RegisteredHost.Story(first));
        Assert.Equal("agent runs; kept by systemd", RegisteredHost.Step(first, "install-agent").GetProperty("summary").GetString());

        var beats = await Beats(host);
        await host.Lab.Reboot();

        await ProductProcess.Until(async () => await IsServed(host), "the zone is served after the reboot");
        await ProductProcess.Until(async () => await Beats(host) > beats, "a heartbeat comes after the reboot");
        var second = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(second));
        Assert.Equal("agent runs already; kept by systemd", RegisteredHost.Step(second, "install-agent").GetProperty("summary").GetString());

        var gone = await host.Outcome((await host.Post("/api/v2/pvservers/ns1/uninstall", new { })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(gone) == "succeeded", RegisteredHost.Story(gone));
        Assert.Equal(before, await host.Footprint());
        Assert.Equal("running", await host.Lab.Run("systemctl is-system-running"));
    }

    private static async Task<bool> IsServed(RegisteredHost host)
    {
        try
        {
            return (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Any();
        }
        catch (DnsResponseException)
        {
            return false;
        }
    }

    private static async Task<int> Beats(RegisteredHost host) => (await host.Get("/api/v2/pvservers/ns1/heartbeats")).GetProperty("summary").GetProperty("total").GetInt32();
}
