using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;

namespace ManagedServers.Tests.Provisioning;

/// <summary>Changing what an installed server serves.</summary>
public sealed class ApplyTests
{
    private const string Net = "$TTL 300\n@ SOA ns1.example.org. hostmaster.example.org. 1 3600 900 604800 300\n@ NS ns1.example.org.\nwww A 192.0.2.50\n";

    [Fact]
    public async Task A_changed_zone_is_served_without_a_restart_versions_are_kept_and_a_failed_proof_brings_the_old_one_back_while_answers_go_on()
    {
        await using var host = await RegisteredHost.Start();
        await host.InstallAndWait(RegisteredHost.OneZone());
        var container = await Container(host);

        await Done(host, new { setZones = new[] { Org(2, "192.0.2.77") }, message = "a new web server" });
        Assert.Equal("192.0.2.77", await host.Www());
        var again = await Done(host, new { setZones = new[] { Org(2, "192.0.2.77") } });
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(again));
        Assert.Equal("2 apply a new web server True, 1 install  False", await Versions(host));
        Assert.Contains("-www  A   192.0.2.2\n+www  A   192.0.2.77\n", (await host.Get("/api/v2/pvservers/ns1/configuration/dns/versions/1/diff?to=2")).GetProperty("changes")[0].GetProperty("diff").GetString(), StringComparison.Ordinal);

        await ABrokenZoneChangesNothing(host);
        await WhatWasOvertakenIsRefused(host);
        await SingleZonesComeAndGo(host);
        Assert.Equal(container, await Container(host));

        await AFailedProofBringsTheOldOneBack(host);
        await AnOlderVersionIsServedAgain(host);
        Assert.Equal(container, await Container(host));
        await OtherAddressesAreBound(host);
        await WhatWasDoneByHandIsPutRight(host);
    }

    [Fact]
    public async Task A_changed_pool_is_served_without_a_restart_and_a_document_that_Kea_refuses_changes_nothing()
    {
        await using var host = await RegisteredHost.Start();
        // Not the lab's own network, where another test's clients would be given addresses by this host.
        const string net = "198.18.0";
        await host.InstallAndWait(new { dhcp = Dhcp(net, 219) });
        var started = await host.Lab.Run("docker inspect -f '{{.State.StartedAt}}' managed-servers-dhcp");

        await Done(host, new { dhcp = Dhcp(net, 229) });
        Assert.Contains($"{net}.229", await host.Lab.Run("echo '{\"command\":\"config-get\"}' | python3 -c 'import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(\"/var/lib/managed-servers/dhcp/run/kea4.sock\"); s.sendall(sys.stdin.buffer.read()); s.shutdown(1); print(s.makefile().read())'"), StringComparison.Ordinal);
        Assert.Equal(started, await host.Lab.Run("docker inspect -f '{{.State.StartedAt}}' managed-servers-dhcp"));

        var wrong = new { dhcp = new Dictionary<string, object> { ["subnet4"] = new[] { new { subnet = $"{net}.0/24", pools = new[] { new { pool = "10.99.0.1-10.99.0.2" } } } } } };
        Assert.StartsWith("Check it with the very Kea that will serve it: Kea on ns1", (await host.Post("/api/v2/pvservers/ns1/configuration/apply?plan=true", wrong)).GetProperty("wouldFail").GetString(), StringComparison.Ordinal);
        Assert.Equal("managed-servers-dhcp\nmanaged-servers-monitor", await host.Lab.Run("docker ps -a --format '{{.Names}}'; docker volume ls -q"));
        var refused = await host.Outcome(await Apply(host, wrong));
        Assert.Equal("failed", RegisteredHost.State(refused));
        Assert.Contains("Kea on ns1", RegisteredHost.Reason(refused), StringComparison.Ordinal);
        var (status, problem) = await Ask(host, new { dhcp = new Dictionary<string, object> { ["subnet4"] = new[] { new { subnet = "10.77.0.0/24" } } } });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains($"would no longer serve {net}.0/24", problem.ToString(), StringComparison.Ordinal);
        var (conflict, notInstalled) = await Ask(host, new { setZones = new[] { Org(1, "192.0.2.1") } });
        Assert.Equal((HttpStatusCode.Conflict, "not-installed"), (conflict, notInstalled.GetProperty("type").GetString()));
    }

    private static async Task ABrokenZoneChangesNothing(RegisteredHost host)
    {
        var refused = await host.Outcome(await Apply(host, new { setZones = new[] { Org(3, "not-an-address") } }));
        Assert.Equal("failed", RegisteredHost.State(refused));
        Assert.Contains("The file of zone example.org", RegisteredHost.Reason(refused), StringComparison.Ordinal);
        Assert.Contains("line 6", RegisteredHost.Reason(refused), StringComparison.Ordinal);
        Assert.Equal("192.0.2.77", await host.Www());
    }

    private static async Task WhatWasOvertakenIsRefused(RegisteredHost host)
    {
        var (status, problem) = await Ask(host, new { setZones = new[] { Org(4, "192.0.2.4") }, basedOn = new { dns = 1 } });
        Assert.Equal((HttpStatusCode.Conflict, "newer-version"), (status, problem.GetProperty("type").GetString()));
        Assert.Contains("version 2 (apply by admin", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        var key = Guid.NewGuid().ToString();
        var runs = await Task.WhenAll(Apply(host, new { setZones = new[] { Org(5, "192.0.2.5") }, basedOn = new { dns = 2 } }, key), Apply(host, new { setZones = new[] { Org(6, "192.0.2.6") } }));
        var ends = await Task.WhenAll(runs.Select(host.Outcome));
        Assert.Equal(["failed", "succeeded"], ends.Select(RegisteredHost.State).Order());
        Assert.Contains("While this change waited, dns came to version", RegisteredHost.Reason(ends.Single(e => RegisteredHost.State(e) == "failed")), StringComparison.Ordinal);
        // The same request again is the same run, although the version that it was based on is not served any more.
        Assert.Equal(runs[0], await Apply(host, new { setZones = new[] { Org(5, "192.0.2.5") }, basedOn = new { dns = 2 } }, key));
        // And another request under its key is nobody's run.
        var (reused, used) = await Ask(host, new { setZones = new[] { Org(7, "192.0.2.7") } }, key);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency-key-used"), (reused, used.GetProperty("type").GetString()));
    }

    private static async Task RecordsAreServedAndTheirSerialRises(RegisteredHost host)
    {
        static object Zone(string address) => new
        {
            name = "example.com", soa = new { contact = "dns.example.org.", serial = 4_294_967_295 },
            records = new object[]
            {
                new { type = "NS", data = "ns1" }, new { name = "ns1", type = "A", data = "192.0.2.1" }, new { name = "www", type = "a", ttl = 60, data = address }, new { name = "*.dyn", type = "CNAME", data = "www" },
                new { name = "example.com.", type = "TXT", text = new[] { "v=spf1 -all", "naïve; \"quoted\" \\ $(text)" } }, new { name = "odd", type = "TYPE65534", data = "\\# 4 c0000201" },
            },
        };
        var (status, problem) = await Ask(host, new { setZones = new[] { new { name = "example.com", records = new object[] { new { name = "a\nb", type = "IN", data = "x ; y" } } } } });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["setZones[0].records[0].data", "setZones[0].records[0].name", "setZones[0].records[0].type", "setZones[0].soa.primary"], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name).Order());

        await Done(host, new { setZones = new[] { Zone("192.0.2.90") } });
        Assert.Equal(uint.MaxValue, (await host.Ask("example.com", QueryType.SOA)).Answers.SoaRecords().Single().Serial);
        Assert.Equal("192.0.2.90", (await host.Ask("any.dyn.example.com", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        Assert.Equal(["v=spf1 -all", "naïve; \"quoted\" \\ $(text)"], (await host.Ask("example.com", QueryType.TXT)).Answers.TxtRecords().Single().Text);
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Done(host, new { setZones = new[] { Zone("192.0.2.90") } })));

        // After the last serial comes the first.
        await Done(host, new { setZones = new[] { Zone("192.0.2.91") } });
        Assert.Equal(1u, (await host.Ask("example.com", QueryType.SOA)).Answers.SoaRecords().Single().Serial);
        var www = (await host.Ask("www.example.com", QueryType.A)).Answers.ARecords().Single();
        Assert.Equal(("192.0.2.91", 60), (www.Address.ToString(), www.InitialTimeToLive));
        await Done(host, new { removeZones = new[] { "example.com" } });
    }

    private static async Task ThePartOfANetworkIsServedAndWhatKnotDoesNotLikeIsTold(RegisteredHost host)
    {
        const string zone = "0/26.2.0.192.in-addr.arpa";
        const string file = "$TTL 300\n@ SOA ns1.example.org. hostmaster.example.org. 1 2h 15m 2w 5m\n@ NS ns1.example.org.\n10 PTR www.example.org.\nsub NS ns.sub\n";
        var run = await Done(host, new { setZones = new[] { new { name = zone, file } } });
        Assert.Equal("www.example.org.", (await host.Ask($"10.{zone}", QueryType.PTR)).Answers.PtrRecords().Single().PtrDomainName.Value);
        var log = (await host.Get($"/api/v2/runs/{run.GetProperty("id").GetString()}/log?limit=1000")).GetProperty("items").EnumerateArray();
        Assert.Contains(log, l => l.GetProperty("level").GetString() == "warning" && l.GetProperty("message").GetString()!.Contains("missing glue", StringComparison.Ordinal));
        await Done(host, new { removeZones = new[] { zone } });
    }

    private static async Task SingleZonesComeAndGo(RegisteredHost host)
    {
        await Done(host, new { setZones = new[] { new { name = "example.net", file = Net } } });
        Assert.Equal("192.0.2.50", (await host.Ask("www.example.net", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        Assert.True((await host.Ask("example.org", QueryType.SOA)).Header.HasAuthorityAnswer);
        Assert.Contains("\"example.net\"", await host.Lab.Run("cat /var/lib/managed-servers/monitor/config.json"), StringComparison.Ordinal);

        var (status, problem) = await Ask(host, new { zones = new[] { new { name = "example.net", file = Net } } });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("would no longer serve example.org", problem.ToString(), StringComparison.Ordinal);
        (status, problem) = await Ask(host, new { removeZones = new[] { "example.com" } });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.True(problem.GetProperty("errors").TryGetProperty("removeZones[0]", out _));

        await ThePartOfANetworkIsServedAndWhatKnotDoesNotLikeIsTold(host);
        await RecordsAreServedAndTheirSerialRises(host);
        await Done(host, new { removeZones = new[] { "Example.NET." } });
        Assert.Equal(DnsHeaderResponseCode.Refused, (await host.Ask("example.net", QueryType.SOA)).Header.ResponseCode);
    }

    private static async Task AFailedProofBringsTheOldOneBack(RegisteredHost host)
    {
        await Done(host, new { setZones = new[] { Org(20, "192.0.2.20") } });
        var folders = await host.Lab.Run("cd /var/lib/managed-servers/dns/config && ls -A && readlink current");
        // The proof cannot succeed: TCP is answered by nobody. Clients ask over UDP all the while.
        await host.Lab.Run("iptables -I INPUT -p tcp --dport 53 -j REJECT --reject-with tcp-reset");
        using var enough = new CancellationTokenSource();
        var asking = AnswersUntil(host, enough.Token);
        var run = await host.Outcome(await Apply(host, new { setZones = new[] { Org(21, "192.0.2.21") } }));
        await enough.CancelAsync();
        var answers = await asking;
        await host.Lab.Run("iptables -D INPUT -p tcp --dport 53 -j REJECT --reject-with tcp-reset");

        Assert.True(RegisteredHost.State(run) == "failed", RegisteredHost.Story(run));
        Assert.Contains("over TCP", RegisteredHost.Reason(run), StringComparison.Ordinal);
        Assert.True(answers.Count > 100, $"only {answers.Count} questions were asked");
        // The new one was served for a while, the old one before and after, and nobody went without an answer.
        Assert.Equal(["192.0.2.20", "192.0.2.21"], answers.Distinct().Order());
        Assert.Equal("192.0.2.20", await host.Www());
        Assert.Equal(folders, await host.Lab.Run("cd /var/lib/managed-servers/dns/config && ls -A && readlink current"));
    }

    private static async Task<List<string>> AnswersUntil(RegisteredHost host, CancellationToken enough)
    {
        List<string> answers = [];
        while (!enough.IsCancellationRequested)
        {
            answers.Add(await host.Www());
        }

        return answers;
    }

    private static async Task AnOlderVersionIsServedAgain(RegisteredHost host)
    {
        var run = await host.Outcome((await host.Post("/api/v2/pvservers/ns1/configuration/dns/versions/1/restore", new { })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal("192.0.2.2", await host.Www());
        Assert.Contains(" restore as in version 1 True, ", await Versions(host), StringComparison.Ordinal);
        using var admin = host.Product.Admin();
        Assert.Equal(HttpStatusCode.NotFound, (await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/configuration/dns/versions/999/restore", new { })).StatusCode);
    }

    private static async Task OtherAddressesAreBound(RegisteredHost host)
    {
        await Done(host, new { listen = new[] { new { address = host.Lab.Address, port = 5353 } } });
        Assert.Equal($"{host.Lab.Address}:5353", await host.Lab.Run("ss -Hlnu '( sport = :53 or sport = :5353 )' | awk '{ print $4 }' | sort -u"));
        await Done(host, new { listen = new[] { new { address = "0.0.0.0", port = 53 } } });
        Assert.Equal("192.0.2.2", await host.Www());
    }

    private static async Task WhatWasDoneByHandIsPutRight(RegisteredHost host)
    {
        await host.Lab.Run("cd /var/lib/managed-servers/dns/config && echo 'hand A 192.0.2.99' >> current/zones/example.org.zone && rm zones && cp -r current/zones zones");
        var run = await Done(host, new { setZones = new[] { Org(30, "192.0.2.30") } });
        Assert.Equal("192.0.2.30", await host.Www());
        Assert.Equal(DnsHeaderResponseCode.NotExistentDomain, (await host.Ask("hand.example.org", QueryType.A)).Header.ResponseCode);
        Assert.Equal("current/zones", await host.Lab.Run("readlink /var/lib/managed-servers/dns/config/zones"));
        Assert.NotEqual("Nothing had to be changed.", RegisteredHost.Reason(run));
    }

    private static object Org(int serial, string www) => new
    {
        name = "example.org",
        file = RegisteredHost.Zone.Replace(" 1 3600", $" {serial} 3600", StringComparison.Ordinal).Replace("192.0.2.2", www, StringComparison.Ordinal),
    };

    private static object Dhcp(string net, int last) => new Dictionary<string, object>
    {
        ["subnet4"] = new[] { new { subnet = $"{net}.0/24", pools = new[] { new { pool = $"{net}.200 - {net}.{last}" } } } },
    };

    private static Task<string> Container(RegisteredHost host) => host.Lab.Run("docker inspect -f '{{.Id}} {{.State.StartedAt}}' managed-servers-dns");

    private static async Task<string> Versions(RegisteredHost host) => string.Join(", ", (await host.Get("/api/v2/pvservers/ns1/configuration/dns/versions")).GetProperty("items").EnumerateArray()
        .Select(v => $"{v.GetProperty("version")} {v.GetProperty("source")} {v.GetProperty("message")} {v.GetProperty("current")}"));

    private static async Task<Guid> Apply(RegisteredHost host, object request, string? idempotencyKey = null)
    {
        var (status, body) = await Ask(host, request, idempotencyKey);
        return status == HttpStatusCode.Accepted ? body.GetProperty("runId").GetGuid() : throw new InvalidOperationException($"{status}: {body}");
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> Ask(RegisteredHost host, object request, string? idempotencyKey = null)
    {
        using var admin = host.Product.Admin();
        using var message = new HttpRequestMessage(HttpMethod.Post, "/api/v2/pvservers/ns1/configuration/apply") { Content = JsonContent.Create(request) };
        message.Headers.Add("Idempotency-Key", idempotencyKey ?? Guid.NewGuid().ToString());
        return await admin.SendAsync(message).Answer();
    }

    private static async Task<JsonElement> Done(RegisteredHost host, object request)
    {
        var run = await host.Outcome(await Apply(host, request));
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        return run;
    }
}
