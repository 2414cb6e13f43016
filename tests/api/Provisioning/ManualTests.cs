using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ManagedServers.Lab;
using Npgsql;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A host on which the product has no login: an operator pastes one line there.</summary>
public sealed class ManualTests
{
    private const string Footprint =
        """
        ls -laR /var/lib/managed-servers 2>/dev/null | grep -v '^total'
        docker ps -a --format '{{.ID}} {{.Names}}'; docker images --format '{{.ID}} {{.Repository}}:{{.Tag}}' | sort
        cat /etc/rc.local 2>/dev/null; crontab -l 2>/dev/null; pgrep -fa 'agent[.]py'
        exit 0
        """;

    [Fact]
    public async Task One_pasted_line_installs_what_an_automatic_install_would_again_changes_nothing_and_uninstalls_all()
    {
        await using var host = await ManualHost.Start();
        var found = await host.Lab.Run(Footprint);
        await WhatNeedsALoginIsRefused(host);
        await ATokenEndsWithItsRunAndWhoWaitsForAnotherGetsNone(host);
        var plan = await Plan(host, "install", RegisteredHost.OneZone());
        Assert.Equal(("install dns and monitor on ns1 by hand", true), (plan.GetProperty("title").GetString(), plan.GetProperty("wouldChange").GetBoolean()));
        Assert.Equal(["add file dns/knot.conf", "add file dns/zones/example.org.zone", "add configuration dns", "add container managed-servers-monitor", "add container managed-servers-dns", "add agent /var/lib/managed-servers/agent"],
            Changes(plan).Where(c => c.Split(' ')[1] is "agent" or "configuration" or "container" || c.Contains(" file dns/", StringComparison.Ordinal)));
        Assert.Equal("dns start: added example.org", Affected(plan));

        var (run, line, token) = await host.Begin("install", RegisteredHost.OneZone());
        Assert.DoesNotContain(token, line, StringComparison.Ordinal);
        await NothingWrongIsRun(host, line);
        Assert.Equal(found, await host.Lab.Run(Footprint));

        await host.Product.Kill();
        await host.Product.Launch();
        var first = await host.Paste(line, token);
        Assert.True(first.ExitCode == 0, first.Text + RegisteredHost.Story(await host.Run(run)));
        Assert.DoesNotContain(token, first.Text, StringComparison.Ordinal);
        var done = await host.Until(run, "succeeded");
        Assert.Equal("succeeded", RegisteredHost.Step(done, "prove-dns").GetProperty("state").GetString());
        Assert.Equal("192.0.2.2", await host.Www());
        await TheLogHasTheHostsWords(host, run);
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "running", "the server is shown as running");

        await AgainChangesNothing(host);
        await AnotherConfigurationIsAppliedAndTheFormerBroughtBack(host);
        await ASecondaryIsFetchedWithAKeyThatIsNotKeptInPlain(host);
        await UninstallLeavesTheHostAsFound(host, found);
        await AnAutomaticInstallFindsNothingToChange(host);
    }

    /// <summary>From a Knot on the same host that is not the product's.</summary>
    private static async Task ASecondaryIsFetchedWithAKeyThatIsNotKeptInPlain(ManualHost host)
    {
        const string secret = "YSBzZWNyZXQgb2YgYSBtYW51YWwgaG9zdA==";
        await host.Lab.Run($$"""
            mkdir -p /root/primary; cd /root/primary
            printf '$TTL 300\n@ SOA ns1.example.org. h.example.org. 7 3600 900 604800 300\n@ NS ns1.example.org.\nwww A 192.0.2.70\n' > net.zone
            cat > knot.conf <<'END'
            server:
                rundir: /tmp
                listen: 127.0.0.1@5300
            database:
                journal-db-max-size: 10M
                kasp-db-max-size: 10M
                timer-db-max-size: 10M
                catalog-db-max-size: 10M
                storage: /tmp
            key:
              - id: xfr.
                algorithm: hmac-sha256
                secret: {{secret}}
            acl:
              - id: xfr
                key: xfr.
                action: transfer
            zone:
              - domain: example.net.
                file: /etc/knot/net.zone
                acl: xfr
            END
            docker run --detach --name primary --network host --volume /root/primary:/etc/knot:ro --tmpfs /tmp --tmpfs /run/knot $(docker ps --filter name=managed-servers-dns --format '{''{.Image}''}')
            """);

        var (run, line, token) = await host.Begin("configuration/apply", new
        {
            setZones = new object[] { new { name = "example.net", primaries = new[] { new { address = "127.0.0.1", port = 5300, key = "xfr" } } }, new { name = "example.org", dnssec = true } },
            keys = new[] { new { name = "xfr", algorithm = "hmac-sha256", secret } },
        });
        var pasted = await host.Paste(line, token);
        Assert.True(pasted.ExitCode == 0, pasted.Text + RegisteredHost.Story(await host.Run(run)));
        await host.Until(run, "succeeded");

        Assert.Contains("192.0.2.70", await host.Lab.Run("docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock zone-read example.net www A"), StringComparison.Ordinal);
        var ds = (await host.Lab.Run("docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock zone-read example.org @ CDS")).Split(" CDS ")[1].Trim().ToUpperInvariant();
        var log = await host.Get($"/api/v2/runs/{run}/log?limit=1000");
        Assert.Single(log.GetProperty("items").EnumerateArray(), l => l.GetProperty("message").GetString()!.EndsWith($"example.org is signed. Its parent zone needs: example.org. DS {ds}", StringComparison.Ordinal));
        Assert.Contains("RRSIG", await host.Lab.Run("docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock zone-read example.org @ RRSIG"), StringComparison.Ordinal);
        Assert.Contains(secret, await host.Lab.Run("cat /var/lib/managed-servers/dns/config/keys.conf"), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, pasted.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, await host.Product.DumpDatabase(), StringComparison.Ordinal);
        await host.Lab.Run("docker rm --force primary; rm -r /root/primary");
    }

    private static async Task WhatNeedsALoginIsRefused(ManualHost host)
    {
        using var admin = host.Product.Admin();
        foreach (var path in new[] { "test", "start" })
        {
            var (status, problem) = await admin.PostAsJsonAsync($"/api/v2/pvservers/ns1/{path}", new { }).Answer();
            Assert.Equal(HttpStatusCode.Conflict, status);
            Assert.True(problem.GetProperty("type").GetString() is "no-login" or "nothing-installed", problem.ToString());
        }
    }

    private static async Task ATokenEndsWithItsRunAndWhoWaitsForAnotherGetsNone(ManualHost host)
    {
        var (first, _, token) = await host.Begin("install", RegisteredHost.OneZone());
        var second = await host.Post("/api/v2/pvservers/ns1/install", RegisteredHost.OneZone());
        Assert.Equal(first, second.GetProperty("ahead").EnumerateArray().Single().GetProperty("id").GetGuid());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("enrolment").GetProperty("token").ValueKind);

        foreach (var id in new[] { first, second.GetProperty("runId").GetGuid() })
        {
            await host.Post($"/api/v2/runs/{id}/cancel", new { });
        }

        using var anybody = host.Product.Client(new AuthenticationHeaderValue("Bearer", token));
        var (status, problem) = await anybody.PostAsJsonAsync("/api/v2/enrolment/exchange", new { claim = new string('a', 64), hostName = "h", isRoot = true }).Answer();
        Assert.Equal((HttpStatusCode.Unauthorized, "ended-token"), (status, problem.GetProperty("type").GetString()));
        Assert.Contains("cancelled", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task NothingWrongIsRun(ManualHost host, string line)
    {
        var digests = System.Text.RegularExpressions.Regex.Matches(line, "[0-9a-f]{64}").Select(m => m.Value).ToList();
        Assert.Equal(2, digests.Count);
        var other = new string('0', 64);
        Assert.Contains("Nothing was run: who answers at this address is not the product.", (await host.Paste(line.Replace(digests[0], other, StringComparison.Ordinal))).Text, StringComparison.Ordinal);
        Assert.Contains("Nothing was run: the product has another script by now.", (await host.Paste(line.Replace(digests[1], other, StringComparison.Ordinal))).Text, StringComparison.Ordinal);
        var guess = await host.Paste(line, "ms_" + new string('x', 43));
        Assert.Contains("The product does not know this enrolment token.", guess.Text, StringComparison.Ordinal);
        Assert.Equal(1, guess.ExitCode);
    }

    private static async Task TheLogHasTheHostsWords(ManualHost host, Guid run)
    {
        var log = (await host.Get($"/api/v2/runs/{run}/log")).ToString();
        Assert.Contains("ok   docker: ", log, StringComparison.Ordinal);
        Assert.Contains("over UDP and TCP", log, StringComparison.Ordinal);
    }

    private static async Task AgainChangesNothing(ManualHost host)
    {
        var before = await host.Lab.Run(Footprint);
        var plan = await Plan(host, "install", RegisteredHost.OneZone());
        Assert.True(plan.GetProperty("wouldChange").ValueKind == JsonValueKind.False, plan.ToString());
        Assert.Equal(0, plan.GetProperty("affected").GetArrayLength());
        var (run, line, token) = await host.Begin("install", RegisteredHost.OneZone());
        Assert.Null(token);
        var again = await host.Paste(line);
        Assert.True(again.ExitCode == 0, again.Text + RegisteredHost.Story(await host.Run(run)));
        Assert.DoesNotContain("Enrolment token", again.Text, StringComparison.Ordinal);
        Assert.Contains("nothing had to be changed", again.Text, StringComparison.Ordinal);
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await host.Until(run, "succeeded")));
        Assert.Equal(Containers(before), Containers(await host.Lab.Run(Footprint)));
        Assert.Contains("Nothing is asked of this host", (await host.Paste(line)).Text, StringComparison.Ordinal);
    }

    private static async Task AnotherConfigurationIsAppliedAndTheFormerBroughtBack(ManualHost host)
    {
        var served = Containers(await host.Lab.Run(Footprint));
        var changed = RegisteredHost.Zone.Replace("192.0.2.2", "192.0.2.3", StringComparison.Ordinal);
        foreach (var (verb, body, www) in new (string, object, string)[]
        {
            ("configuration/apply", new { setZones = new[] { new { name = "example.org", file = changed } }, message = "www moves" }, "192.0.2.3"),
            ("configuration/dns/versions/1/restore", new { }, "192.0.2.2"),
        })
        {
            var plan = await Plan(host, verb, body);
            Assert.Equal("apply dns to ns1 by hand", plan.GetProperty("title").GetString());
            Assert.Equal(["change file dns/zones/example.org.zone", "change configuration dns", "reload container managed-servers-dns"], Changes(plan));
            Assert.Contains($"+ www  A   {www}", plan.ToString().Replace("\\u002B", "+", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Equal("dns reload: changed example.org", Affected(plan));

            var (run, line, token) = await host.Begin(verb, body);
            Assert.Null(token);
            var pasted = await host.Paste(line);
            Assert.True(pasted.ExitCode == 0, pasted.Text + RegisteredHost.Story(await host.Run(run)));
            await host.Until(run, "succeeded");
            Assert.Equal(www, await host.Www());
        }

        Assert.Equal(served, Containers(await host.Lab.Run(Footprint)));
        var untried = await host.Post("/api/v2/pvservers/ns1/configuration/apply?plan=true", new { setZones = new[] { new { name = "example.org", file = changed } } });
        Assert.Matches(@" was not tried either: step \d+ \(Check it with the very Knot that will serve it\) of the run tells it, before anything that serves is changed\.$", untried.GetProperty("notLookedAt").GetString());
        var versions = await host.Get("/api/v2/pvservers/ns1/configuration/dns/versions");
        Assert.Contains("www moves", versions.ToString(), StringComparison.Ordinal);
    }

    private static async Task UninstallLeavesTheHostAsFound(ManualHost host, string found)
    {
        var plan = await Plan(host, "uninstall", new { });
        Assert.Equal(["remove container managed-servers-dns", "remove container managed-servers-monitor"], Changes(plan).Where(c => c.Contains(" container ", StringComparison.Ordinal)));
        Assert.Contains("remove folder /var/lib/managed-servers/dns", Changes(plan));
        Assert.Equal("dns stop: removed example.net removed example.org", Affected(plan));
        Assert.Equal("example.org", plan.GetProperty("affected")[0].GetProperty("keysLost").EnumerateArray().Single().GetString());
        var (run, line, token) = await host.Begin("uninstall", new { });
        Assert.Null(token);
        var removed = await host.Paste(line);
        Assert.True(removed.ExitCode == 0, removed.Text + RegisteredHost.Story(await host.Run(run)));
        await host.Until(run, "succeeded");
        Assert.Contains("With it went the DNSSEC keys of example.org:", (await host.Get($"/api/v2/runs/{run}/log?limit=1000")).ToString(), StringComparison.Ordinal);
        Assert.Equal(found, await host.Lab.Run(Footprint));
        var server = await host.Get("/api/v2/pvservers/ns1");
        Assert.Equal(0, server.GetProperty("components").GetArrayLength());

        // The host has told with its token how the run has ended; from then on nobody needs it.
        await using var database = NpgsqlDataSource.Create(host.Product.ConnectionString);
        await using var ends = database.CreateCommand("select bool_and(t.expires_at <= now() + interval '5 minutes') from access.token t join access.account a on a.id = t.account_id where a.server_id = $1");
        ends.Parameters.AddWithValue(server.GetProperty("id").GetGuid());
        Assert.Equal(true, await ends.ExecuteScalarAsync());
    }

    private static async Task AnAutomaticInstallFindsNothingToChange(ManualHost host)
    {
        var (run, line, token) = await host.Begin("install", RegisteredHost.OneZone());
        await host.Lab.Run($"umask 077; echo {token} > /root/token");
        foreach (var (file, why) in new[] { ("/bin/ls", "That is no enrolment token"), ("/root/none", "The token cannot be read from /root/none: No such file") })
        {
            var refused = await host.Lab.TryRun($"{line} --token-file {file} < /dev/null; ls -d /var/lib/managed-servers");
            Assert.Contains(why, refused.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("Traceback", refused.Errors, StringComparison.Ordinal);
            Assert.Contains("cannot access '/var/lib/managed-servers'", refused.Errors, StringComparison.Ordinal);
        }

        var byFile = await host.Lab.TryRun($"{line} --token-file /root/token < /dev/null");
        Assert.True(byFile.ExitCode == 0, byFile.Text + byFile.Errors + RegisteredHost.Story(await host.Run(run)));
        await host.Until(run, "succeeded");

        var key = await host.Post("/api/v2/pvservers/probe", new { address = host.Lab.Address });
        using var admin = host.Product.Admin();
        var edited = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1", new { address = host.Lab.Address, password = host.Lab.RootPassword, hostKey = key.GetProperty("fingerprint").GetString() }).Json();
        Assert.True(edited.TryGetProperty("installation", out var installation) && installation.GetString() == "automatic", edited.ToString());
        var automatic = await host.Post("/api/v2/pvservers/ns1/install", RegisteredHost.OneZone());
        var ended = await host.Until(automatic.GetProperty("runId").GetGuid(), "succeeded");
        Assert.True(RegisteredHost.Reason(ended) == "Nothing had to be changed.", RegisteredHost.Story(ended));
    }

    private static async Task<JsonElement> Plan(ManualHost host, string verb, object body)
    {
        var plan = await host.Post($"/api/v2/pvservers/ns1/{verb}?plan=true", body);
        Assert.True(plan.TryGetProperty("steps", out _), plan.ToString());
        return plan;
    }

    private static List<string> Changes(JsonElement plan) =>
    [
        .. plan.GetProperty("steps").EnumerateArray().SelectMany(s => s.GetProperty("preview").GetProperty("changes").EnumerateArray())
            .Select(c => $"{c.GetProperty("kind").GetString()} {c.GetProperty("thing").GetString()} {c.GetProperty("name").GetString()}"),
    ];

    private static string Affected(JsonElement plan)
    {
        var only = plan.GetProperty("affected").EnumerateArray().Single();
        var names = only.GetProperty("served").EnumerateArray().Select(s => $"{s.GetProperty("effect").GetString()} {s.GetProperty("name").GetString()}");
        return $"{only.GetProperty("component").GetString()} {only.GetProperty("interruption").GetString()}: {string.Join(' ', names)}";
    }

    private static string Containers(string footprint) => string.Join('\n', footprint.Split('\n').Where(l => l.Contains("managed-servers-", StringComparison.Ordinal)));
}
