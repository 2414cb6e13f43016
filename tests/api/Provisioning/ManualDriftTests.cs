using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What somebody does past the product to a host on which it has no login is found too: the host's agent says what runs there.</summary>
public sealed class ManualDriftTests
{
    private const string Config = "/var/lib/managed-servers/dns/config";
    private const string Agent = "/var/lib/managed-servers/agent/agent.py";

    [Fact]
    public async Task What_is_done_by_hand_is_found_and_put_back_and_what_nobody_knows_is_no_drift()
    {
        await using var host = await ManualHost.Start();
        await Run(host, "install", Both(host));
        await AreFound(host);

        await EachIsFoundAlsoWhileARunWaitsForTheHost(host);
        await AFileThatIsPutBackIsNoDrift(host);
        await NothingIsAcceptedThatCannotBeRead(host);
        await ReapplyingMendsIt(host);
        await NothingIsKeptThatWasSeenBeforeOrIsNoReport(host);
        await ADeadDockerIsNotGoneContainers(host);
        await ASilentAgentIsALineAndAnOldOneToo(host);
    }

    private static async Task EachIsFoundAlsoWhileARunWaitsForTheHost(ManualHost host)
    {
        await host.Lab.Run($"cp -r {Config} /root/before; cd {Config}/current && echo 'hand A 192.0.2.99' >> zones/example.org.zone && printf x > $(printf 'zones/a\\033b')");
        await host.Lab.Run("docker stop managed-servers-dhcp >/dev/null && docker rm -f managed-servers-monitor >/dev/null");
        await AreFound(host, "dhcp stopped managed-servers-dhcp", @"dns file zones/a\x1bb", "dns file zones/example.org.zone", "monitor container managed-servers-monitor");
        Assert.All((await host.Get("/api/v2/pvservers/ns1/drift")).GetProperty("findings").EnumerateArray(), f => Assert.False(f.GetProperty("canBeAccepted").GetBoolean()));

        await host.Begin("drift/reapply", new { });
        await host.Lab.Run("echo '# mine' >> /var/lib/managed-servers/dhcp/config/current/kea-dhcp4.conf");
        await host.Lab.Run("docker rm -f managed-servers-dns >/dev/null && docker run -d --name managed-servers-dns --network host --entrypoint /usr/sbin/knotd -v " + Config + ":/etc/knot:ro -v /var/lib/managed-servers/dns/data:/var/lib/knot -v /var/lib/managed-servers/dns/run:/run/knot $(docker images --format '{{.Repository}}:{{.Tag}}' managed-servers/knot) -c /etc/knot/knot.conf >/dev/null");
        await AreFound(host, "dhcp file kea-dhcp4.conf", "dhcp stopped managed-servers-dhcp", @"dns file zones/a\x1bb", "dns file zones/example.org.zone", "dns specification managed-servers-dns", "monitor container managed-servers-monitor");
    }

    private static async Task AFileThatIsPutBackIsNoDrift(ManualHost host)
    {
        await host.Lab.Run($"cp /root/before/current/zones/example.org.zone {Config}/current/zones/ && rm {Config}/current/zones/a*");
        await host.Lab.Run("docker start managed-servers-dhcp >/dev/null");
        await AreFound(host, "dhcp file kea-dhcp4.conf", "dns specification managed-servers-dns", "monitor container managed-servers-monitor");
        var plan = await host.Post("/api/v2/pvservers/ns1/drift/reapply?plan=true", new { });
        Assert.Equal("re-apply dhcp and dns to ns1 by hand", plan.GetProperty("title").GetString());
        Assert.Equal(["dns restart", "dhcp reload"], plan.GetProperty("affected").EnumerateArray().Select(a => $"{a.GetProperty("component").GetString()} {a.GetProperty("interruption").GetString()}"));
    }

    private static async Task NothingIsAcceptedThatCannotBeRead(ManualHost host)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/drift/accept", new { }).Answer();
        Assert.Equal((HttpStatusCode.Conflict, "cannot-be-accepted"), (status, problem.GetProperty("type").GetString()));
        Assert.Contains("the product has no login on its host to read what is there", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("msctl config apply ns1 --zone", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task ReapplyingMendsIt(ManualHost host)
    {
        // Another configuration as the current one: whole, so that its name tells all of it.
        await host.Lab.Run($"cd {Config} && cp -r current/. by-hand && ln -sfn by-hand current");
        await AreFound(host, "dhcp file kea-dhcp4.conf", "dns current current", "dns specification managed-servers-dns", "monitor container managed-servers-monitor");

        var line = (await host.Get("/api/v2/pvservers/ns1/enrolment")).GetProperty("line").GetString()!;
        var waiting = (await host.Get("/api/v2/runs?state=waiting")).GetProperty("items")[0].GetProperty("id").GetGuid();
        var pasted = await host.Paste(line);
        Assert.True(pasted.ExitCode == 0, pasted.Text + RegisteredHost.Story(await host.Run(waiting)));
        await host.Until(waiting, "succeeded");
        Assert.Equal(0, (await host.Get("/api/v2/drift")).GetProperty("items").GetArrayLength());
        await AreFound(host);
        Assert.Equal("192.0.2.2", await host.Www());
    }

    private static async Task NothingIsKeptThatWasSeenBeforeOrIsNoReport(ManualHost host)
    {
        var token = JsonDocument.Parse(await host.Lab.Run("cat /var/lib/managed-servers/agent/agent.json")).RootElement.GetProperty("token").GetString()!;
        using var agent = host.Product.Client(new AuthenticationHeaderValue("Bearer", token));
        var nothing = new { asOf = (string?)null, containers = Array.Empty<object>(), configurations = Array.Empty<object>() };
        var asOf = (await agent.PostAsJsonAsync("/api/v2/monitoring/host-state", nothing with { asOf = "before" }).Json()).GetProperty("asOf").GetString()!;
        Assert.Equal(asOf, (await agent.PostAsJsonAsync("/api/v2/monitoring/host-state", new { asOf }).Json()).GetProperty("asOf").GetString());
        await AreFound(host);

        var (status, problem) = await agent.PostAsJsonAsync("/api/v2/monitoring/host-state", new { asOf, configurations = new[] { new { component = "dns", current = "\u001b[2J", links = new Dictionary<string, string>() } } }).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["configurations[0].current", "configurations[0].links"], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));

        // As many files as there may be, with the longest names.
        var files = Enumerable.Range(0, 12_000).ToDictionary(n => $"zones/{n:000000}{new string('z', 230)}", _ => new string('0', 64));
        var links = new Dictionary<string, string> { ["knot.conf"] = "current/knot.conf", ["keys.conf"] = "current/keys.conf", ["zones"] = "current/zones" };
        var many = await agent.PostAsJsonAsync("/api/v2/monitoring/host-state", new { asOf, configurations = new[] { new { component = "dns", current = "x", links, digest = new string('0', 16), files } } }).Answer();
        Assert.True(many.Status == HttpStatusCode.OK, many.ToString());
        await AreFound(host);
    }

    private static async Task ADeadDockerIsNotGoneContainers(ManualHost host)
    {
        await host.Lab.Run("lab-service docker stop");
        await ProductProcess.Until(async () => (await Look(host)).Problem?.Contains("Docker on the host of ns1 does not tell which containers there are", StringComparison.Ordinal) == true, "Docker's silence is told");
        Assert.Empty((await Look(host)).Found);
        await host.Lab.Run("lab-service docker start");
        await AreFound(host);
    }

    private static async Task ASilentAgentIsALineAndAnOldOneToo(ManualHost host)
    {
        await host.Lab.Run($"python3 {Agent} uninstall");
        await using var database = NpgsqlDataSource.Create(host.Product.ConnectionString);
        await database.CreateCommand("update servers.host_state set at = at - interval '1 hour'; update engine.run set finished_at = finished_at - interval '1 hour'").ExecuteNonQueryAsync();
        var sweep = await host.Until((await host.Post("/api/v2/drift/check", new { })).GetProperty("runId").GetGuid(), "succeeded");
        Assert.Contains("1 not looked at", RegisteredHost.Story(sweep), StringComparison.Ordinal);
        Assert.Contains("has last said at", (await host.Get("/api/v2/drift")).GetProperty("items")[0].GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Contains("has last said at", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("driftProblem").GetString(), StringComparison.Ordinal);

        await database.CreateCommand("delete from servers.host_state").ExecuteNonQueryAsync();
        Assert.Contains("An agent of an earlier release does not say it: order a new one", (await Checked(host)).Problem, StringComparison.Ordinal);
    }

    /// <summary>Waits until exactly these are found.</summary>
    private static async Task AreFound(ManualHost host, params string[] expected)
    {
        (string[] Found, string? Problem, bool Looked) last = default;
        try
        {
            await ProductProcess.Until(async () => (last = await Look(host)) is { Problem: null, Looked: true } && last.Found.SequenceEqual(expected), $"there is [{string.Join(", ", expected)}]");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} Last: [{string.Join(", ", last.Found ?? [])}], {last.Problem}. Its log: {await host.Lab.Run("tail -n 20 /var/lib/managed-servers/agent/agent.log")}");
        }
    }

    /// <summary>Lets the agent look, which it does with every beat, and compares.</summary>
    private static async Task<(string[] Found, string? Problem, bool Looked)> Look(ManualHost host)
    {
        await host.Lab.Run("pkill -USR1 -f 'agent[.]py run'; true");
        return await Checked(host);
    }

    private static async Task<(string[] Found, string? Problem, bool Looked)> Checked(ManualHost host)
    {
        var run = await host.Until((await host.Post("/api/v2/pvservers/ns1/drift/check", new { })).GetProperty("runId").GetGuid(), "succeeded");
        var drift = await host.Get("/api/v2/pvservers/ns1/drift");
        return ([.. drift.GetProperty("findings").EnumerateArray().Select(f => $"{f.GetProperty("component")} {f.GetProperty("kind")} {f.GetProperty("subject")}")],
            drift.GetProperty("problem").GetString(), !RegisteredHost.Story(run).Contains("not looked at", StringComparison.Ordinal));
    }

    private static async Task Run(ManualHost host, string verb, object body)
    {
        var (run, line, token) = await host.Begin(verb, body);
        var pasted = await host.Paste(line, token);
        Assert.True(pasted.ExitCode == 0, pasted.Text + RegisteredHost.Story(await host.Run(run)));
        await host.Until(run, "succeeded");
    }

    private static object Both(ManualHost host)
    {
        var net = host.Lab.Address[..host.Lab.Address.LastIndexOf('.')];
        return new
        {
            zones = new[] { new { name = "example.org", file = RegisteredHost.Zone } },
            dhcp = new Dictionary<string, object> { ["valid-lifetime"] = 600, ["subnet4"] = new[] { new { subnet = $"{net}.0/24", pools = new[] { new { pool = $"{net}.200 - {net}.209" } } } } },
        };
    }
}
