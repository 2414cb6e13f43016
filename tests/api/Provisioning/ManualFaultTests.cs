using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What comes between the line and its end.</summary>
public sealed class ManualFaultTests
{
    private const string Settings = "cd /var/lib/managed-servers; python3 -c 'import json; monitor, agent = (json.load(open(name)) for name in (\"monitor/config.json\", \"agent/agent.json\")); print(monitor[\"zones\"], monitor[\"token\"] == agent[\"token\"])'";
    private const string Garbage = "head -c 100000 /dev/urandom > /var/lib/managed-servers/agent/image-";

    [Fact]
    public async Task Ctrl_C_a_second_line_a_reboot_and_a_broken_image_cost_a_run_nothing_but_another_paste()
    {
        await using var host = await ManualHost.Start();
        var wait = new { name = "wait", command = $"touch /root/waits; while [ ! -e /root/go ]; do sleep 0.1; done; {Garbage}$(cat /root/go)", timeoutSeconds = 600 };
        var (run, line, token) = await host.Begin("install", RegisteredHost.OneZone(pre: [wait]));

        var stopped = await host.Paste(line, token, stopAt: "touch /root/waits");
        Assert.Contains("Stopped (Ctrl-C). Run the same line again: it goes on from here.", stopped.Text, StringComparison.Ordinal);
        Assert.Contains("The line was stopped on the host (Ctrl-C)", RegisteredHost.Reason(await host.Until(run, "paused")), StringComparison.Ordinal);
        Assert.Equal("", await host.Lab.Run("pgrep -f '[t]ouch /root/waits' || true"));

        Assert.Contains("was interrupted half-way, and nobody knows how far it came", (await host.Paste(line)).Text, StringComparison.Ordinal);
        await host.Until(run, "paused");

        await host.Lab.Run("rm -f /root/waits");
        var first = host.Paste(line, more: "--again");
        await ProductProcess.Until(async () => (await host.Lab.TryRun("test -e /root/waits")).ExitCode == 0, "the command runs");
        Assert.Contains("The line is being run on this host already, in another terminal.", (await host.Paste(line)).Text, StringComparison.Ordinal);
        await host.Lab.Reboot();
        await first;

        // The image of which a part has come is not what was ordered.
        var order = await ManualHost.Images();
        await host.Lab.Run($"echo {order["dns"][..16]} > /root/go");
        var broken = await host.Paste(line, more: "--again");
        Assert.Contains("It was thrown away; run the line again.", broken.Text, StringComparison.Ordinal);
        await host.Until(run, "paused");

        var done = await host.Paste(line);
        Assert.True(done.ExitCode == 0, done.Text + RegisteredHost.Story(await host.Run(run)));
        await host.Until(run, "succeeded");
        Assert.Equal("192.0.2.2", await host.Www());

        await AUsedTokenIsRefusedAndANewOneIsTaken(host, token);
        await KeaIsInstalledBesideIt(host);
    }

    private static async Task KeaIsInstalledBesideIt(ManualHost host)
    {
        // Not the lab's own network, where another test's clients would be given addresses by this host.
        const string net = "198.18.0";
        var document = new { subnet4 = new[] { new { subnet = $"{net}.0/24", pools = new[] { new { pool = $"{net}.200 - {net}.219" } } } } };
        for (var changes = 1; changes >= 0; changes--)
        {
            var (run, line, _) = await host.Begin("install", new { dhcp = document });
            var pasted = await host.Paste(line);
            Assert.True(pasted.ExitCode == 0, pasted.Text + RegisteredHost.Story(await host.Run(run)));
            Assert.Contains("hears its interfaces", pasted.Text, StringComparison.Ordinal);
            Assert.Equal(changes == 0 ? "Nothing had to be changed." : "", RegisteredHost.Reason(await host.Until(run, "succeeded")));
        }

        var (refused, wrong, _) = await host.Begin("install", new { dhcp = new { subnet4 = document.subnet4, option_data = 1 }, dropSubnets = true });
        Assert.Contains("Kea refuses the configuration", (await host.Paste(wrong)).Text, StringComparison.Ordinal);
        Assert.Contains("start another install", RegisteredHost.Reason(await host.Until(refused, "failed")), StringComparison.Ordinal);
    }

    private static async Task AUsedTokenIsRefusedAndANewOneIsTaken(ManualHost host, string used)
    {
        await host.Lab.Run("rm /var/lib/managed-servers/agent/enrolment.json");
        var other = new
        {
            zones = new[]
            {
                new { name = "example.org", file = RegisteredHost.Zone.Replace("192.0.2.2", "192.0.2.3", StringComparison.Ordinal).Replace(" 1 3600", " 2 3600", StringComparison.Ordinal) },
                new { name = "example.net", file = "$TTL 300\n@ SOA ns1.example.org. hostmaster.example.org. 1 3600 900 604800 300\n@ NS ns1.example.org.\n" },
            },
        };
        var settings = await host.Lab.Run(Settings);
        var (run, line, _) = await host.Begin("install", other);
        var refused = await host.Paste(line, used);
        Assert.Contains("and is good for one host once", refused.Text, StringComparison.Ordinal);
        Assert.Contains("showed an enrolment token that had been used already", (await host.Get("/api/v2/pvservers/ns1/history")).ToString(), StringComparison.Ordinal);

        // Knot cannot be asked on the host: what served before serves again.
        var renewed = await host.Post("/api/v2/pvservers/ns1/enrolment", new { validMinutes = 30 });
        await host.Lab.Run("iptables -I INPUT -i lo -p udp --dport 53 -j REJECT");
        var mute = await host.Paste(line, renewed.GetProperty("token").GetString()!);
        Assert.Contains("is the current one again", mute.Text, StringComparison.Ordinal);
        Assert.Contains("is not answered", RegisteredHost.Reason(await host.Until(run, "paused")), StringComparison.Ordinal);
        Assert.Equal("192.0.2.2", await host.Www());
        Assert.Equal(settings, await host.Lab.Run(Settings));
        await host.Post($"/api/v2/runs/{run}/cancel", new { undo = true });
        // It reports with the new token.
        Assert.Equal("Cancelled by admin. What it had done was undone, except for step 12, 'Install the heartbeat agent': look at what it has left.", RegisteredHost.Reason(await host.Until(run, "cancelled")));

        await host.Lab.Run("iptables -D INPUT -i lo -p udp --dport 53 -j REJECT");
        (run, line, _) = await host.Begin("install", other);
        var done = await host.Paste(line);
        Assert.True(done.ExitCode == 0, done.Text + RegisteredHost.Story(await host.Run(run)));
        await host.Until(run, "succeeded");
        Assert.Equal("192.0.2.3", await host.Www());
    }
}
