using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A host in a network that the product cannot reach, behind two jump hosts.</summary>
public sealed partial class RouteTests(RouteTests.BehindJumps fixture) : IClassFixture<RouteTests.BehindJumps>
{
    private readonly RegisteredHost host = fixture.Host;

    [Fact]
    public async Task The_whole_life_of_a_server_goes_through_the_route_with_one_connection_to_each_host()
    {
        var shown = await host.Get("/api/v2/pvservers/ns1");
        Assert.Equal("dmz", shown.GetProperty("sshRoute").GetString());
        var test = await host.Post("/api/v2/pvservers/ns1/test", new { });
        Assert.True(test.GetProperty("ok").GetBoolean(), test.ToString());
        // A fresh process has no connection.
        await host.Product.Stop();
        await host.Product.Launch();
        var before = Opened();

        var run = await host.InstallAndWait(RegisteredHost.OneZone());

        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal(before + 3, Opened());
        Assert.Contains("answered on the host itself", RegisteredHost.Step(run, "prove-dns").GetProperty("summary").GetString(), StringComparison.Ordinal);
        foreach (var verb in new[] { "stop", "start", "restart", "uninstall" })
        {
            var started = await host.Post($"/api/v2/pvservers/ns1/{verb}", new { });
            var ended = await host.Outcome(started.GetProperty("runId").GetGuid());
            Assert.True(RegisteredHost.State(ended) == "succeeded", RegisteredHost.Story(ended));
        }
    }

    [Fact]
    public async Task A_jump_host_cut_in_the_middle_of_an_install_costs_new_connections_and_nothing_else()
    {
        var id = await host.Install(RegisteredHost.OneZone(pre: [new { name = "wait", command = "touch /run/waiting; until [ -e /run/go ]; do sleep 0.1; done", repeatable = true }]));
        await ProductProcess.Until(async () => (await host.Lab.TryRun("test -e /run/waiting")).ExitCode == 0, "the install is in its middle");

        var before = Opened();
        await Cut(host.Jumps!.First);
        try
        {
            await ProductProcess.Until(() => Opened() >= before + 3, "the product is back on the host");
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{Opened() - before} of three connections were opened anew. {RegisteredHost.Story(await host.Run(id))}", late);
        }

        await host.Lab.Run("touch /run/go");

        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
    }

    [Fact]
    public async Task A_jump_host_with_another_key_stops_the_run_with_both_fingerprints_and_its_place()
    {
        var before = Key(await host.Get("/api/v2/sshroutes/dmz"), 1);
        await host.Jumps!.Second.Run("mkdir /root/keys && mv /etc/ssh/ssh_host_* /root/keys && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && pkill -HUP -o sshd");
        try
        {
            await Cut(host.Jumps.Second);
            var now = (await host.Jumps.Second.Run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")).Split(' ')[1];

            var run = await host.InstallAndWait(RegisteredHost.OneZone());

            Assert.Equal("failed", RegisteredHost.State(run));
            Assert.Contains($"The host key of hop 2 of 2 on route dmz ({host.Jumps.SecondAddress}:22) has changed", RegisteredHost.Reason(run), StringComparison.Ordinal);
            Assert.Contains(before, RegisteredHost.Reason(run), StringComparison.Ordinal);
            Assert.Contains(now, RegisteredHost.Reason(run), StringComparison.Ordinal);
            var test = await host.Post("/api/v2/sshroutes/dmz/test", new { });
            Assert.False(test.GetProperty("ok").GetBoolean());
            Assert.Equal([true, false], test.GetProperty("hops").EnumerateArray().Select(h => h.GetProperty("ok").GetBoolean()));

            Assert.Equal("host-key-changed", (await Edit(new { hops = host.Hops() })).Body.GetProperty("type").GetString());
            var edited = await host.Patch("/api/v2/sshroutes/dmz", new { hops = host.Hops(null, now), reason = "set up anew" });
            Assert.Equal(now, Key(edited, 1));
            Assert.True((await host.Post("/api/v2/sshroutes/dmz/test", new { })).GetProperty("ok").GetBoolean());
        }
        finally
        {
            await host.Jumps.Second.Run("rm /etc/ssh/ssh_host_*; mv /root/keys/* /etc/ssh && rmdir /root/keys; pkill -HUP -o sshd");
            await Cut(host.Jumps.Second);
            await host.Patch("/api/v2/sshroutes/dmz", new { hops = host.Hops(null, before) });
        }
    }

    [Fact]
    public async Task A_route_is_changed_only_to_one_that_works_and_removed_only_when_nobody_needs_it()
    {
        var before = (await host.Get("/api/v2/sshroutes/dmz")).ToString();
        await Refused(new { hops = Array.Empty<object>() }, "hops", "1 to 5");
        await Refused(new { hops = new[] { new { address = "not an address", password = "x" } } }, "hops[0].address", "may contain only");
        await Refused(new { hops = new[] { new { address = "192.0.2.1" } } }, "hops[0].password", "is needed");
        await Refused(new { name = "" }, "name", "must not be empty");
        var wrong = await Edit(new { hops = new object[] { host.Hops()[0], new { address = host.Jumps!.SecondAddress, password = "wrong-s3cret" } } });
        Assert.Equal((HttpStatusCode.BadRequest, "authentication-failed"), (wrong.Status, wrong.Body.GetProperty("type").GetString()));
        Assert.True(wrong.Body.GetProperty("errors").TryGetProperty("hops[1].password", out _), wrong.Body.ToString());
        await RefusedWhateverConnectionThereIs();
        var plan = await host.Patch("/api/v2/sshroutes/dmz?plan=true", new { hops = new object[] { new { address = host.Jumps.First.Address }, new { address = host.Jumps.SecondAddress, password = "never-s3nt" } } });
        Assert.EndsWith($", root@{host.Jumps.SecondAddress}:22 (another password, ssh-ed25519 {Key(await host.Get("/api/v2/sshroutes/dmz"), 1)})", plan.GetProperty("changes").EnumerateArray().Single().GetProperty("to").GetString(), StringComparison.Ordinal);
        Assert.Equal("ns1", plan.GetProperty("servers").EnumerateArray().Single().GetProperty("server").GetString());
        Assert.DoesNotContain("never-s3nt", plan.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, (await host.Get("/api/v2/sshroutes/dmz")).ToString());

        using var admin = host.Product.Admin();
        var (status, problem) = await admin.DeleteAsync("/api/v2/sshroutes/dmz").Answer();
        Assert.Equal((HttpStatusCode.Conflict, "route-in-use"), (status, problem.GetProperty("type").GetString()));
        Assert.Contains("ns1", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // Without secrets: what is there is kept.
        Assert.Equal("office", (await host.Patch("/api/v2/sshroutes/dmz", new { name = "office", hops = new[] { new { address = host.Jumps.First.Address }, new { address = host.Jumps.SecondAddress } } })).GetProperty("name").GetString());
        Assert.Equal("office", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("sshRoute").GetString());
        await host.Patch("/api/v2/sshroutes/office", new { name = "dmz" });
        Assert.StartsWith("changed name from 'office' to 'dmz'", (await host.Get("/api/v2/sshroutes/dmz/history"))[0].GetProperty("what").GetString(), StringComparison.Ordinal);

        var dump = await host.Product.DumpDatabase();
        Assert.DoesNotContain(host.Jumps.First.RootPassword, dump, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Jumps.Second.RootPassword, dump, StringComparison.Ordinal);
    }

    /// <summary>A connection made with the password from before goes on, and says nothing of it.</summary>
    private async Task RefusedWhateverConnectionThereIs()
    {
        var first = host.Jumps!.First;
        Assert.True((await host.Post("/api/v2/pvservers/ns1/test", new { })).GetProperty("ok").GetBoolean());
        await first.Run("echo root:an0ther-word | chpasswd");
        try
        {
            var test = await host.Post("/api/v2/sshroutes/dmz/test", new { });
            Assert.Equal([false, false], test.GetProperty("hops").EnumerateArray().Select(h => h.GetProperty("ok").GetBoolean()));
            var kept = await Edit(new { hops = host.Hops() });
            Assert.True(kept.Body.GetProperty("errors").TryGetProperty("hops[0].password", out _), kept.Body.ToString());
            using var admin = host.Product.Admin();
            var server = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1", new { password = host.Lab.RootPassword }).Answer();
            Assert.StartsWith($"hop 1 of 2 on route dmz ({first.Address}:22) refused the password", server.Body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        finally
        {
            await first.Run($"echo root:{first.RootPassword} | chpasswd");
        }
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> Edit(object change)
    {
        using var admin = host.Product.Admin();
        return await admin.PatchAsJsonAsync("/api/v2/sshroutes/dmz", change).Answer();
    }

    private async Task Refused(object change, string field, string words)
    {
        var (status, problem) = await Edit(change);
        Assert.True(status == HttpStatusCode.BadRequest, problem.ToString());
        Assert.Contains(words, problem.GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.Ordinal);
    }

    private static string Key(JsonElement route, int hop) => route.GetProperty("hops")[hop].GetProperty("hostKey").GetProperty("fingerprint").GetString()!;

    private static Task Cut(LabHost jump) => jump.Run("pkill -9 -f '^sshd: [a-z]*@' || true; pkill -9 -f '^sshd: root' || true");

    private int Opened() => Connections().Count(host.Product.Output);

    [GeneratedRegex("SSH connection to .*? opened")]
    private static partial Regex Connections();

    public sealed class BehindJumps : IAsyncLifetime
    {
        public RegisteredHost Host { get; private set; } = null!;

        public async Task InitializeAsync() => Host = await RegisteredHost.StartBehindJumps();

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
