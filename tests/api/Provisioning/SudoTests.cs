using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A host on which the product signs in as a user who becomes root through sudo.</summary>
public sealed class SudoTests
{
    private static readonly LabUser Deploy = new() { Name = "deploy", Password = "word-for-deploy", Sudo = true };

    [Fact]
    public async Task Through_sudo_a_server_is_installed_steered_and_uninstalled_and_a_sudo_that_asks_for_a_password_is_told()
    {
        await using var host = await RegisteredHost.Start(user: Deploy);
        Assert.Equal(("sudo", "/var/lib/managed-servers"), Login(await host.Get("/api/v2/pvservers/ns1")));
        var before = await host.Footprint();

        var id = await host.Install(RegisteredHost.OneZone(
            pre: [Command("as root", "echo \"$(id -un) $MANAGED_SERVERS_SERVER\" > /tmp/as-root", asRoot: true)], post: [Command("as the user", "echo \"$(id -un) $MANAGED_SERVERS_SERVER\" > /tmp/as-user", asRoot: false)]));
        foreach (var step in new[] { "prepare-folders", "stage-dns", "start-dns" })
        {
            await ProductProcess.Until(async () => RegisteredHost.Step(await host.Run(id), step).GetProperty("state").GetString() is "running" or "succeeded", $"{step} begins");
            await host.Product.Kill();
            await host.Product.Launch();
        }

        var installed = await host.Outcome(id);
        Assert.True(RegisteredHost.State(installed) == "succeeded", RegisteredHost.Story(installed));
        Assert.Equal("root ns1\ndeploy ns1", await host.Lab.Run("cat /tmp/as-root /tmp/as-user; rm /tmp/as-root /tmp/as-user"));
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        Assert.Equal("root", await host.Lab.Run("stat -c %U /var/lib/managed-servers /var/lib/managed-servers/agent/agent.json | sort -u"));
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Succeeds(host, await host.Install(RegisteredHost.OneZone()))));
        foreach (var verb in new[] { "stop", "start", "restart" })
        {
            await Succeeds(host, (await host.Post($"/api/v2/pvservers/ns1/{verb}", new { })).GetProperty("runId").GetGuid());
        }

        await ASudoThatAsksForAPasswordIsToldAndTheRunGoesOnLater(host);
        Assert.Equal(before, await host.Footprint());
    }

    private static async Task ASudoThatAsksForAPasswordIsToldAndTheRunGoesOnLater(RegisteredHost host)
    {
        await host.Lab.Run("sed -i.kept s/NOPASSWD:// /etc/sudoers.d/deploy");
        var test = await host.Post("/api/v2/pvservers/ns1/test", new { });
        var check = test.GetProperty("checks").EnumerateArray().Single();
        Assert.Equal(("login", false, "sudo for deploy says: sudo: a password is required"), (check.GetProperty("name").GetString(), check.GetProperty("ok").GetBoolean(), check.GetProperty("found").GetString()));
        Assert.Contains("deploy ALL=(ALL) NOPASSWD: ALL", check.GetProperty("fix").GetString(), StringComparison.Ordinal);

        var paused = await host.Outcome((await host.Post("/api/v2/pvservers/ns1/uninstall", new { })).GetProperty("runId").GetGuid());
        Assert.Equal("paused", RegisteredHost.State(paused));
        Assert.Contains("sudo does not make user deploy root", RegisteredHost.Reason(paused), StringComparison.Ordinal);
        await host.Lab.Run("mv /etc/sudoers.d/deploy.kept /etc/sudoers.d/deploy");
        await host.Post($"/api/v2/runs/{paused.GetProperty("id").GetString()}/retry", new { });
        await Succeeds(host, paused.GetProperty("id").GetGuid());
    }

    private static (string?, string?) Login(JsonElement server) => (server.GetProperty("login").GetString(), server.GetProperty("folder").GetString());

    private static object Command(string name, string command, bool asRoot) => new { name, command, asRoot, repeatable = true };

    private static async Task<JsonElement> Succeeds(RegisteredHost host, Guid id)
    {
        await ProductProcess.Until(async () => RegisteredHost.State(await host.Run(id)) is not "paused", "the run goes on");
        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        return run;
    }
}
