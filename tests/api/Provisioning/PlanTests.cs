using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What a change would do, shown before it is made.</summary>
public sealed class PlanTests
{
    [Fact]
    public async Task A_plan_tells_what_the_run_then_does_and_leaves_no_trace()
    {
        await using var host = await RegisteredHost.Start();
        var before = await host.Footprint();
        await OfAFirstInstall(host);
        await RefusedAsTheStartIs(host);
        await WouldFail(host);
        Assert.Equal(before, await host.Footprint());
        Assert.Equal("", await host.Lab.Run("ls -A /var/lib | grep managed-servers || true"));
        Assert.Equal(0, (await host.Get("/api/v2/runs?server=ns1")).GetProperty("items").GetArrayLength());
        Assert.Equal("new", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString());

        await BehindAnotherRun(host);

        var installed = await Footprint(host);
        await OfWhatIsThereAlready(host);
        await OfAnotherConfiguration(host);
        await OfStopAndUninstall(host);
        await OfWhatTheProductStores(host);
        Assert.Equal(installed, await Footprint(host));
        await OfAHostThatIsAway(host);
    }

    /// <summary>Without what monitor and agent write by themselves.</summary>
    private static Task<string> Footprint(RegisteredHost host) => host.Lab.Run("ls -laR /var/lib/managed-servers/dns/config; ls -A /var/lib/managed-servers; docker ps -a --format '{{.ID}} {{.Names}} {{.State}}'; docker volume ls -q; docker images -q | sort");

    private static async Task OfAFirstInstall(RegisteredHost host)
    {
        var plan = await Plan(host, "install", RegisteredHost.OneZone(pre: [new { name = "look", command = "echo $HOME; true" }]));

        Assert.Equal(("install dns and monitor on ns1", true), (plan.GetProperty("title").GetString(), plan.GetProperty("wouldChange").GetBoolean()));
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("notLookedAt").ValueKind);
        Assert.Equal(["run command look: echo $HOME; true"], Changes(plan, "pre-command-1"));
        Assert.Contains("add folder /var/lib/managed-servers/dns/config", string.Join('\n', Changes(plan, "prepare-folders")), StringComparison.Ordinal);
        Assert.Equal(2, Changes(plan, "upload-images").Count(c => c.StartsWith("add image managed-servers/", StringComparison.Ordinal)));
        Assert.Equal(["add file dns/knot.conf: ", "add file dns/zones/example.org.zone: "], Changes(plan, "stage-dns").Order());
        Assert.StartsWith("not tried for the plan, because the host does not have managed-servers/", Step(plan, "validate-dns").GetProperty("preview").GetProperty("note").GetString(), StringComparison.Ordinal);
        Assert.Equal(["add container managed-servers-dns: made and started"], Changes(plan, "start-dns"));
        Assert.Equal(["add agent /var/lib/managed-servers/agent: with a service that keeps it running"], Changes(plan, "install-agent"));
        Assert.Equal(("fail", "compensate", "pause"), (Step(plan, "preflight").GetProperty("onFailure").GetString(), Step(plan, "start-dns").GetProperty("onFailure").GetString(), Step(plan, "record").GetProperty("onFailure").GetString()));
        Assert.Equal(["added example.org"], Served(plan, "start", sole: 0));
        Assert.DoesNotContain(host.Lab.RootPassword, plan.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\"token\"", plan.ToString(), StringComparison.Ordinal);
    }

    private static async Task RefusedAsTheStartIs(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var bad = new { zones = new[] { new { name = "example..org", file = RegisteredHost.Zone } } };
        var (planned, started) = (await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install?plan=true", bad).Answer(), await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install", bad).Answer());
        Assert.Equal(HttpStatusCode.BadRequest, planned.Status);
        Assert.Equal(started.Body.ToString(), planned.Body.ToString());
        Assert.Equal(HttpStatusCode.Conflict, (await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/stop?plan=true", new { }).Answer()).Status);
    }

    private static async Task WouldFail(RegisteredHost host)
    {
        var plan = await Plan(host, "install", new { zones = new[] { new { name = "example.org", file = RegisteredHost.Zone } }, listen = new[] { new { address = "0.0.0.0", port = 22 } } });
        Assert.Contains("port 22 taken by sshd", plan.GetProperty("wouldFail").GetString(), StringComparison.Ordinal);
        Assert.Equal("The steps after 1 were not looked at, because the run would not come to them.", plan.GetProperty("notLookedAt").GetString());
    }

    /// <summary>Two operators at one server: the second is told at once for whom it waits.</summary>
    private static async Task BehindAnotherRun(RegisteredHost host)
    {
        var first = await host.Install(RegisteredHost.OneZone(pre: [new { name = "wait", command = "until [ -e /run/go ]; do sleep 0.1; done", repeatable = true }]));
        await ProductProcess.Until(async () => RegisteredHost.State(await host.Run(first)) == "running", "the first install is under way");

        Assert.Equal(first, (await Plan(host, "install", RegisteredHost.OneZone())).GetProperty("ahead").EnumerateArray().Single().GetProperty("id").GetGuid());
        var second = await host.Post("/api/v2/pvservers/ns1/install", RegisteredHost.OneZone());
        var ahead = second.GetProperty("ahead").EnumerateArray().Single();
        Assert.Equal((first, "install dns and monitor on ns1", "admin", "running"),
            (ahead.GetProperty("id").GetGuid(), ahead.GetProperty("title").GetString(), ahead.GetProperty("requestedBy").GetString(), ahead.GetProperty("state").GetString()));
        var third = await host.Post("/api/v2/pvservers/ns1/install", RegisteredHost.OneZone());
        Assert.Equal([first, second.GetProperty("runId").GetGuid()], third.GetProperty("ahead").EnumerateArray().Select(r => r.GetProperty("id").GetGuid()));

        await host.Lab.Run("touch /run/go");
        foreach (var id in new[] { first, second.GetProperty("runId").GetGuid(), third.GetProperty("runId").GetGuid() })
        {
            var run = await host.Outcome(id);
            Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        }
    }

    private static async Task OfWhatIsThereAlready(RegisteredHost host)
    {
        foreach (var (verb, body) in new (string, object)[] { ("install", RegisteredHost.OneZone()), ("start", new { }) })
        {
            var plan = await Plan(host, verb, body);
            Assert.True(plan.GetProperty("wouldChange").ValueKind == JsonValueKind.False, plan.ToString());
            Assert.Equal((0, 0), (plan.GetProperty("affected").GetArrayLength(), plan.GetProperty("ahead").GetArrayLength()));
        }
    }

    private static async Task OfAnotherConfiguration(RegisteredHost host)
    {
        var zones = new[]
        {
            new { name = "example.org", file = RegisteredHost.Zone.Replace("192.0.2.2", "192.0.2.3", StringComparison.Ordinal).Replace(" 1 3600", " 2 3600", StringComparison.Ordinal) },
            new { name = "example.net", file = "$TTL 300\n@ SOA ns1.example.org. hostmaster.example.org. 1 3600 900 604800 300\n@ NS ns1.example.org.\n" },
        };
        var plan = await Plan(host, "install", new { zones });
        var staged = Changes(plan, "stage-dns");
        Assert.Contains("- www  A   192.0.2.2\n+ www  A   192.0.2.3", staged.Single(c => c.StartsWith("change file dns/zones/example.org.zone", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(["reload container managed-servers-dns: it goes on serving meanwhile"], Changes(plan, "start-dns"));
        Assert.Equal(["restart container managed-servers-monitor: for its new settings"], Changes(plan, "start-monitor").Where(c => c.Contains("container", StringComparison.Ordinal)));
        Assert.Equal(["added example.net", "changed example.org"], Served(plan, "reload", sole: 0));

        Assert.Equal("tried for the plan, and taken", Step(plan, "validate-dns").GetProperty("preview").GetProperty("note").GetString());

        var broken = await Plan(host, "configuration/apply", new { setZones = new[] { new { name = "example.org", file = RegisteredHost.Zone + "\nwww A not-an-address\n" } } });
        Assert.Matches(@"^Check it with the very Knot that will serve it: The file of zone example\.org \(zones\[0\]\.file\) has an error: .*line 8.*\. Correct it and ask for the corrected one\.$", broken.GetProperty("wouldFail").GetString());
        Assert.Equal(0, broken.GetProperty("affected").GetArrayLength());

        var moved = await Plan(host, "install", new { zones = zones.Take(1), listen = new[] { new { address = host.Lab.Address, port = 53 } } });
        Assert.StartsWith("restart container managed-servers-dns: made anew", Assert.Single(Changes(moved, "start-dns")), StringComparison.Ordinal);
        Assert.Equal(["changed example.org"], Served(moved, "restart", sole: 1));
    }

    private static async Task OfStopAndUninstall(RegisteredHost host)
    {
        var stop = await Plan(host, "stop", new { components = new[] { "dns" } });
        Assert.Equal(["stop container managed-servers-dns: until it is started again, over reboots too"], Changes(stop, "stop-dns"));
        Assert.Equal(["unchanged example.org"], Served(stop, "stop", sole: 1));
        Assert.Equal(["unchanged example.org"], Served(await Plan(host, "restart", new { }), "restart", sole: 1));

        var gone = await Plan(host, "uninstall", new { });
        Assert.Equal(["remove container managed-servers-dns: it is stopped first"], Changes(gone, "remove-dns"));
        Assert.Equal(2, Changes(gone, "remove-images").Count);
        Assert.Contains("remove folder /var/lib/managed-servers/agent: with all that is in it", Changes(gone, "remove-folders"));
        Assert.Equal(["removed example.org"], Served(gone, "stop", sole: 1));
    }

    /// <summary>Nothing changes on the host with it, and those whom it serves are named all the same.</summary>
    private static async Task OfWhatTheProductStores(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var renamed = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1?plan=true", new { name = "ns9" }).Json();
        var service = renamed.GetProperty("servers").EnumerateArray().Single().GetProperty("services").EnumerateArray().Single();
        Assert.Equal(("dns", "none", "example.org"), (service.GetProperty("component").GetString(), service.GetProperty("interruption").GetString(), service.GetProperty("served")[0].GetProperty("name").GetString()));

        Assert.Equal("components-installed", (await admin.DeleteAsync("/api/v2/pvservers/ns1?plan=true").Json()).GetProperty("type").GetString());
        var removed = await admin.DeleteAsync("/api/v2/pvservers/ns1?force=true&plan=true").Json();
        Assert.StartsWith("dns and monitor on ns1 would go on, without anybody watching.", removed.GetProperty("notes").EnumerateArray().Single().GetString(), StringComparison.Ordinal);
        Assert.Equal(["server", "configuration of dns", "measurements"], removed.GetProperty("changes").EnumerateArray().Select(c => c.GetProperty("thing").GetString()));
        Assert.Equal("host-key-unchanged", (await host.Post("/api/v2/pvservers/ns1/host-key?plan=true", new { })).GetProperty("type").GetString());
        Assert.Equal("ns1", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("name").GetString());
    }

    private static async Task OfAHostThatIsAway(RegisteredHost host)
    {
        await host.Lab.Run("lab-service ssh stop; pkill -9 -f '^sshd: '; true");
        var plan = await Plan(host, "stop", new { components = new[] { "dns" } });
        // At once, or by the first step where the connection from before had not been found to be gone.
        Assert.Matches(@"^(The|From step [12] on \((Make sure that it is still installed|Stop dns)\) the) host could not be looked at: ", plan.GetProperty("notLookedAt").GetString());
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("wouldChange").ValueKind);
        Assert.Equal(["Make sure that it is still installed", "Stop dns"], plan.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("title").GetString()));
        Assert.Equal(["unchanged example.org"], Served(plan, "unknown", sole: 1));
    }

    private static async Task<JsonElement> Plan(RegisteredHost host, string verb, object body)
    {
        using var admin = host.Product.Admin();
        var (status, plan) = await admin.PostAsJsonAsync($"/api/v2/pvservers/ns1/{verb}?plan=true", body).Answer();
        Assert.True(status == HttpStatusCode.OK, plan.ToString());
        return plan;
    }

    private static JsonElement Step(JsonElement plan, string name) => plan.GetProperty("steps").EnumerateArray().Single(s => s.GetProperty("name").GetString() == name);

    private static List<string> Changes(JsonElement plan, string step) =>
    [
        .. Step(plan, step).GetProperty("preview").GetProperty("changes").EnumerateArray()
            .Select(c => $"{c.GetProperty("kind").GetString()} {c.GetProperty("thing").GetString()} {c.GetProperty("name").GetString()}: {c.GetProperty("detail").GetString()}"),
    ];

    private static List<string> Served(JsonElement plan, string interruption, int sole)
    {
        var dns = plan.GetProperty("affected").EnumerateArray().Single();
        Assert.Equal(("dns", interruption, sole), (dns.GetProperty("component").GetString(), dns.GetProperty("interruption").GetString(), dns.GetProperty("soleServerFor").GetArrayLength()));
        return [.. dns.GetProperty("served").EnumerateArray().Select(s => $"{s.GetProperty("effect").GetString()} {s.GetProperty("name").GetString()}")];
    }
}
