using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What operators do to a server that has something installed.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task An_installed_server_is_stopped_started_restarted_and_uninstalled_and_its_host_is_as_it_was_found()
    {
        await using var host = await RegisteredHost.Start();
        Assert.Equal("nothing-installed", (await Refused(host, "start", HttpStatusCode.Conflict)).GetProperty("type").GetString());
        Assert.Equal("nothing-installed", (await Refused(host, "uninstall", HttpStatusCode.Conflict)).GetProperty("type").GetString());
        var before = await host.Footprint();
        var installed = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(installed) == "succeeded", RegisteredHost.Story(installed));

        await StopKeepsItStopped(host);
        await StartProvesThatItAnswers(host);
        await RestartOfOneLeavesTheOther(host);
        Assert.Contains("must be a list of what is installed on ns1: dns, monitor", (await Refused(host, "restart", HttpStatusCode.BadRequest, "dhcp")).ToString(), StringComparison.Ordinal);

        var token = await host.Lab.Run("sed -n 's/.*\"token\": *\"\\(ms_[^\"]*\\)\".*/\\1/p' /var/lib/managed-servers/agent/agent.json");
        var uninstall = await Begin(host, "uninstall");
        var late = await Begin(host, "stop");
        var gone = await host.Outcome(uninstall);
        Assert.Equal(("succeeded", "uninstall everything from ns1"), (RegisteredHost.State(gone), gone.GetProperty("title").GetString()));
        await WhoCameTooLateHoldsNobodyUp(host, late);
        await TheTokenOfTheHostIsGoodForNothing(host, token);
        Assert.Equal(before, await host.Footprint());
        var server = await host.Get("/api/v2/pvservers/ns1");
        Assert.Equal(("new", 0), (server.GetProperty("state").GetString(), server.GetProperty("components").GetArrayLength()));
        Assert.Equal("none", server.GetProperty("heartbeat").GetProperty("status").GetString());
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Done(host, "uninstall")));

        var again = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(again) == "succeeded", RegisteredHost.Story(again));
    }

    [Fact]
    public async Task A_product_that_is_killed_in_the_middle_of_a_restart_restarts_each_component_once()
    {
        await using var host = await RegisteredHost.Start();
        var installed = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(installed) == "succeeded", RegisteredHost.Story(installed));

        var run = await Begin(host, "restart");
        await ProductProcess.Until(async () => RegisteredHost.Step(await host.Run(run), "restart-monitor").GetProperty("state").GetString() is "running" or "succeeded", "the restart is under way");
        await host.Product.Kill();
        await host.Product.Launch();
        var done = await host.Outcome(run);

        Assert.True(RegisteredHost.State(done) == "succeeded", RegisteredHost.Story(done));
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        // A restart is a stop and a start: Docker's own record of each container has one of each since the install.
        foreach (var name in new[] { "managed-servers-dns", "managed-servers-monitor" })
        {
            Assert.Equal("1", await host.Lab.Run($"docker events --since 1h --until=-2s --filter container={name} --filter event=restart --format x | wc -l"));
        }
    }

    [Fact]
    public async Task A_host_that_another_server_has_taken_over_is_not_uninstalled()
    {
        await using var host = await RegisteredHost.Start();
        var installed = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(installed) == "succeeded", RegisteredHost.Story(installed));
        var other = Guid.NewGuid();
        await host.Lab.Run($"sed -i 's/{(await host.Get("/api/v2/pvservers/ns1")).GetProperty("id").GetString()}/{other}/' /var/lib/managed-servers/agent/agent.json");
        var before = await host.Footprint();

        var run = await host.Outcome(await Begin(host, "uninstall"));

        Assert.Equal("paused", RegisteredHost.State(run));
        Assert.Contains($"is managed as server {other}", RegisteredHost.Reason(run), StringComparison.Ordinal);
        Assert.Equal(before, await host.Footprint());
    }

    private static async Task StopKeepsItStopped(RegisteredHost host)
    {
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "running", "the server is shown as running");
        await Done(host, "stop", "monitor");
        // At once, and when a heartbeat has told it.
        var server = await host.Get("/api/v2/pvservers/ns1");
        Assert.Equal("degraded", server.GetProperty("state").GetString());
        Assert.Equal(["dns running", "monitor stopped"], server.GetProperty("components").EnumerateArray().Select(c => $"{c.GetProperty("name").GetString()} {c.GetProperty("state").GetString()}"));
        await ProductProcess.Until(async () => (server = await host.Get("/api/v2/pvservers/ns1")).GetProperty("stateReason").GetString()?.StartsWith("monitor is ", StringComparison.Ordinal) == true, "a heartbeat tells of the stopped monitor");
        Assert.Equal("degraded", server.GetProperty("state").GetString());
        Assert.EndsWith("; dns goes on serving", server.GetProperty("stateReason").GetString(), StringComparison.Ordinal);

        var stopped = await Done(host, "stop");
        Assert.Equal("stop dns and monitor on ns1", stopped.GetProperty("title").GetString());
        Assert.Equal("exited exited", await States(host));
        Assert.Equal("stopped", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString());
        await host.Lab.RestartDocker();
        Assert.Equal("exited exited", await States(host));
        await host.Lab.KillDocker();
        Assert.Equal("exited exited", await States(host));
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "stopped", "the server is shown as stopped");
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Done(host, "stop")));
    }

    private static async Task StartProvesThatItAnswers(RegisteredHost host)
    {
        var started = await Done(host, "start");
        Assert.Equal("succeeded", RegisteredHost.Step(started, "prove-dns").GetProperty("state").GetString());
        Assert.Equal("running running", await States(host));
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "running", "the server is shown as running");
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Done(host, "start")));
        // An engine that was killed stops what it finds running when it is back; what is meant to run must run again all the same.
        await host.Lab.KillDocker();
        await ProductProcess.Until(async () => await States(host) == "running running", "Docker has started again what ran");
    }

    private static async Task WhoCameTooLateHoldsNobodyUp(RegisteredHost host, Guid stop)
    {
        var late = await host.Outcome(stop);
        Assert.Equal("failed", RegisteredHost.State(late));
        Assert.Contains("is not installed on ns1 any more: it was uninstalled while this run waited.", RegisteredHost.Reason(late), StringComparison.Ordinal);
    }

    private static async Task TheTokenOfTheHostIsGoodForNothing(RegisteredHost host, string token)
    {
        Assert.StartsWith("ms_", token, StringComparison.Ordinal);
        using var agent = host.Product.Client(new AuthenticationHeaderValue("Bearer", token));
        await ProductProcess.Until(async () => (await agent.GetAsync("/api/v2/me")).StatusCode == HttpStatusCode.Unauthorized, "the token that was on the host is refused");
    }

    private static async Task RestartOfOneLeavesTheOther(RegisteredHost host)
    {
        var before = await Started(host);
        await Done(host, "restart", "dns");
        var after = await Started(host);
        Assert.NotEqual(before.Dns, after.Dns);
        Assert.Equal(before.Monitor, after.Monitor);
    }

    private static async Task<(string Dns, string Monitor)> Started(RegisteredHost host) =>
        (await host.Lab.Run("docker inspect -f '{{.State.StartedAt}}' managed-servers-dns"), await host.Lab.Run("docker inspect -f '{{.State.StartedAt}}' managed-servers-monitor"));

    private static Task<string> States(RegisteredHost host) => host.Lab.Run("echo $(docker inspect -f '{{.State.Status}}' managed-servers-dns managed-servers-monitor)");

    private static async Task<JsonElement> Done(RegisteredHost host, string verb, params string[] components)
    {
        var run = await host.Outcome(await Begin(host, verb, components));
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        return run;
    }

    private static async Task<Guid> Begin(RegisteredHost host, string verb, params string[] components) =>
        (await host.Post($"/api/v2/pvservers/ns1/{verb}", Body(components))).GetProperty("runId").GetGuid();

    private static async Task<JsonElement> Refused(RegisteredHost host, string verb, HttpStatusCode status, params string[] components)
    {
        using var admin = host.Product.Admin();
        var (actual, problem) = await admin.PostAsJsonAsync($"/api/v2/pvservers/ns1/{verb}", Body(components)).Answer();
        Assert.Equal(status, actual);
        return problem;
    }

    private static Dictionary<string, string[]> Body(string[] components) => components.Length > 0 ? new() { ["components"] = components } : [];
}
