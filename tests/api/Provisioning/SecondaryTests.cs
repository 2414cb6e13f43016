using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>Two servers of one zone: one signs it and tells the other, which fetches it with a key.</summary>
public sealed class SecondaryTests
{
    private const string Secret = "dGhlIHNlY3JldCBvZiB0aGUgdHJhbnNmZXI=";
    private const string Www = "/api/v2/pvservers/ns1/configuration";

    [Fact]
    public async Task A_secondary_serves_what_the_primary_signs_follows_its_changes_and_nobody_sees_their_key()
    {
        await using var host = await RegisteredHost.Start();
        await using var second = await LabHost.Start(new LabOptions());
        await Register(host, second);
        object[] key = [new { name = "xfr.example.org", algorithm = "hmac-sha256", secret = Secret }];

        await ThePrimarySigns(host, second, key);
        await AWrongKeyIsToldAndNothingStays(host, second);
        var installed = await Done(host, "ns2", new { zones = new[] { Secondary(host) }, keys = key });
        Assert.Equal("192.0.2.2", await AtSecond(second));
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Done(host, "ns2", new { zones = new[] { Secondary(host) } })));

        await AnotherKeyIsProvenBeforeItIsKept(host, second);
        await AChangeArrives(host, second);
        await WhatWasItsOwnGivesWayAndComesBack(host, second);
        await TheSecretIsNowhere(host, installed);
        await StrangersMayNotTransfer(host);
        await NeitherHasDrifted(host);
        var plan = await host.Post("/api/v2/pvservers/ns1/uninstall?plan=true", new { });
        Assert.Equal("example.org", plan.GetProperty("affected")[0].GetProperty("keysLost").EnumerateArray().Single().GetString());
        using var admin = host.Product.Admin();
        var removal = await admin.DeleteAsync("/api/v2/pvservers/ns1?force=true&plan=true").Json();
        Assert.Contains("The DNSSEC keys of example.org lie on its host and nowhere else.", removal.GetProperty("notes").ToString(), StringComparison.Ordinal);
        await SigningEndsOnlyWhenThatIsSaidAndSecondariesFollow(host, second);
        await OneThatHasExpiredHoldsNothingElseUp(host, second);
        await AnUninstallNamesTheKeysOfZonesThatWentBefore(host);
    }

    private static async Task AnUninstallNamesTheKeysOfZonesThatWentBefore(RegisteredHost host)
    {
        await Done(host, "ns1", new { zones = new[] { new { name = "example.net", file = "$TTL 300\n@ SOA ns1.example.org. hostmaster.example.org. 1 3600 900 604800 300\n@ NS ns1.example.org.\n" } }, dropZones = true, dropDnssec = true });
        Assert.NotEqual("", await host.Lab.Run("ls /var/lib/managed-servers/dns/data/keys/keys"));
        var plan = await host.Post("/api/v2/pvservers/ns1/uninstall?plan=true", new { });
        Assert.Equal("example.org", plan.GetProperty("affected")[0].GetProperty("keysLost").EnumerateArray().Single().GetString());

        var gone = await host.Outcome((await host.Post("/api/v2/pvservers/ns1/uninstall", new { })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(gone) == "succeeded", RegisteredHost.Story(gone));
        Assert.Contains("With it went the DNSSEC keys of example.org:", (await host.Get($"/api/v2/runs/{gone.GetProperty("id").GetString()}/log?limit=500")).ToString(), StringComparison.Ordinal);
        Assert.Equal(0, (await host.Post("/api/v2/pvservers/ns1/uninstall?plan=true", new { })).GetProperty("affected").GetArrayLength());
    }

    private static async Task ThePrimarySigns(RegisteredHost host, LabHost second, object[] keys)
    {
        var run = await host.InstallAndWait(new
        {
            zones = new object[] { new { name = "example.org", file = RegisteredHost.Zone, dnssec = true, notify = new[] { new { address = second.Address, key = "xfr.example.org" } } } }, keys,
        });
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        var log = await host.Get($"/api/v2/runs/{run.GetProperty("id").GetString()}/log?limit=500");
        var told = log.GetProperty("items").EnumerateArray().Select(l => l.GetProperty("message").GetString()!).Single(l => l.Contains(" DS ", StringComparison.Ordinal));
        var cds = await host.Lab.Run("docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock zone-read example.org @ CDS");
        Assert.EndsWith(cds.Split(" CDS ")[1].Trim().ToUpperInvariant(), told, StringComparison.Ordinal);
    }

    private static async Task AWrongKeyIsToldAndNothingStays(RegisteredHost host, LabHost second)
    {
        object[] other = [new { name = "xfr.example.org", algorithm = "hmac-sha256", secret = "YW5vdGhlciBzZWNyZXQgb2YgdHJhbnNmZXJz" }];
        var failed = await host.Outcome(await Start(host, "ns2", new { components = new[] { "dns" }, zones = new[] { Secondary(host) }, keys = other }));

        Assert.Equal("failed", RegisteredHost.State(failed));
        Assert.Contains($"has not got example.org from {host.Lab.Address} port 53 with the key xfr.example.org (error: [example.org.] (no usable master))", RegisteredHost.Story(failed), StringComparison.Ordinal);
        Assert.Equal("", await second.Run("docker ps -aq"));
    }

    private static async Task AnotherKeyIsProvenBeforeItIsKept(RegisteredHost host, LabHost second)
    {
        object[] other = [new { name = "xfr.example.org", algorithm = "hmac-sha256", secret = "YW5vdGhlciBzZWNyZXQgb2YgdHJhbnNmZXJz" }];
        var refused = await host.Outcome((await host.Post("/api/v2/pvservers/ns2/configuration/apply", new { keys = other })).GetProperty("runId").GetGuid());
        Assert.Equal("failed", RegisteredHost.State(refused));
        Assert.Contains("has not got example.org from", RegisteredHost.Reason(refused), StringComparison.Ordinal);
        Assert.Equal("192.0.2.2", await AtSecond(second));
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Done(host, "ns2", new { })));
    }

    private static async Task AChangeArrives(RegisteredHost host, LabHost second)
    {
        var changed = await host.Outcome((await host.Post($"{Www}/apply", new { message = $"the key is {Secret}", setZones = new[] { new { name = "example.org", file = RegisteredHost.Zone.Replace("www  A   192.0.2.2", "www  A   192.0.2.77", StringComparison.Ordinal) } } })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(changed) == "succeeded", RegisteredHost.Story(changed));
        Assert.Equal("192.0.2.77", await host.Www());
        await ProductProcess.Until(async () => await AtSecond(second) == "192.0.2.77", "the secondary has the change");

        // All of it: every signature, as the secondary has it.
        Assert.Equal("", await second.Run("docker exec managed-servers-dns /usr/bin/kzonecheck -d on -o example.org. /var/lib/knot/secondary/$(basename /var/lib/managed-servers/dns/data/secondary/example.org+*.zone)"));
        await second.Run("docker restart managed-servers-dns");
        await ProductProcess.Until(async () => await AtSecond(second) == "192.0.2.77", "the secondary serves it after a restart");
    }

    /// <summary>Its own contents have the higher serial, which a server that only compares serials would keep.</summary>
    private static async Task WhatWasItsOwnGivesWayAndComesBack(RegisteredHost host, LabHost second)
    {
        await Done(host, "ns2", new { zones = new[] { new { name = "example.org", file = RegisteredHost.Zone.Replace("hostmaster 1 ", "hostmaster 4000 ", StringComparison.Ordinal).Replace("192.0.2.2", "192.0.2.99", StringComparison.Ordinal) } } });
        Assert.Equal("192.0.2.99", await AtSecond(second));

        var restored = await host.Outcome((await host.Post("/api/v2/pvservers/ns2/configuration/dns/versions/2/restore", new { })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(restored) == "succeeded", RegisteredHost.Story(restored));
        Assert.Equal("192.0.2.77", await AtSecond(second));
    }

    private static async Task TheSecretIsNowhere(RegisteredHost host, JsonElement run)
    {
        var shown = (await host.Get(Www)).ToString() + await host.Get($"{Www}/dns/versions/1") + await host.Get("/api/v2/pvservers/ns2/configuration") + run + await host.Get($"/api/v2/runs/{run.GetProperty("id").GetString()}/log?limit=500")
            + await host.Post("/api/v2/pvservers/ns2/install?plan=true", new { zones = new[] { Secondary(host) }, keys = new[] { new { name = "xfr.example.org", algorithm = "hmac-sha256", secret = "YW5vdGhlciBzZWNyZXQgb2YgdHJhbnNmZXJz" } } });
        var diff = (await host.Get("/api/v2/pvservers/ns2/configuration/dns/versions/1/diff?to=2")).GetProperty("changes")[0].GetProperty("diff").GetString();
        Assert.Contains("-      \"secret\": \"not shown\"\n+      \"secret\": \"not shown; another one\"\n", diff, StringComparison.Ordinal);
        Assert.Contains("xfr.example.org", shown, StringComparison.Ordinal);
        Assert.Contains("dns/keys.conf", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, shown, StringComparison.Ordinal);
        Assert.DoesNotContain("YW5vdGhlciBzZWNyZXQgb2YgdHJhbnNmZXJz", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, await host.Product.DumpDatabase(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, host.Product.Output, StringComparison.Ordinal);
    }

    private static async Task StrangersMayNotTransfer(RegisteredHost host)
    {
        Assert.Contains("NOTAUTH", await Transfer(host), StringComparison.Ordinal);
        var applied = await host.Outcome((await host.Post($"{Www}/apply", new { setZones = new[] { new { name = "example.org", allowTransfer = new[] { new { address = $"{host.Lab.Gateway}/32" } } } } })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(applied) == "succeeded", RegisteredHost.Story(applied));
        Assert.Contains("192.0.2.77", await Transfer(host), StringComparison.Ordinal);
        var diff = await host.Get($"{Www}/dns/versions/2/diff?to=3");
        Assert.Equal("example.org settings", diff.GetProperty("changes").EnumerateArray().Single().GetProperty("what").GetString());
    }

    private static async Task NeitherHasDrifted(RegisteredHost host)
    {
        foreach (var server in new[] { "ns1", "ns2" })
        {
            var check = await host.Outcome((await host.Post($"/api/v2/pvservers/{server}/drift/check", new { })).GetProperty("runId").GetGuid());
            Assert.True(RegisteredHost.State(check) == "succeeded", RegisteredHost.Story(check));
            var drift = await host.Get($"/api/v2/pvservers/{server}/drift");
            Assert.True(drift.GetProperty("findings").GetArrayLength() == 0, drift.ToString());
        }
    }

    private static async Task SigningEndsOnlyWhenThatIsSaidAndSecondariesFollow(RegisteredHost host, LabHost second)
    {
        object[] unsigned = [new { name = "example.org", dnssec = false }];
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync($"{Www}/apply", new { setZones = unsigned }).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("would no longer sign example.org", problem.ToString(), StringComparison.Ordinal);
        var other = new[] { new { name = "example.net", file = "$TTL 300\n@ SOA ns1.example.org. hostmaster.example.org. 1 3600 900 604800 300\n@ NS ns1.example.org.\n" } };
        (status, problem) = await admin.PostAsJsonAsync($"{Www}/apply", new { zones = other, dropZones = true }).Answer();
        Assert.True(status == HttpStatusCode.BadRequest && problem.ToString().Contains("would no longer sign example.org", StringComparison.Ordinal), problem.ToString());
        (status, problem) = await admin.PostAsJsonAsync($"{Www}/apply?plan=true", new { setZones = other, removeZones = new[] { "example.org" } }).Answer();
        Assert.True(status == HttpStatusCode.BadRequest && problem.ToString().Contains("dropDnssec", StringComparison.Ordinal), problem.ToString());

        var signed = await Serial(IPAddress.Parse(host.Lab.Address));
        var applied = await host.Outcome((await host.Post($"{Www}/apply", new { setZones = unsigned, dropDnssec = true })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(applied) == "succeeded", RegisteredHost.Story(applied));
        // The file has serial 1 all the time.
        var serial = await Serial(IPAddress.Parse(host.Lab.Address));
        Assert.True(serial > signed, $"{signed}, then {serial}");
        await ProductProcess.Until(async () => await Serial(IPAddress.Parse(second.Address)) == serial, "the secondary has the zone without signatures");
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Done(host, "ns1", new { })));
        Assert.DoesNotContain("wasSigned", (await host.Get(Www)).ToString(), StringComparison.Ordinal);
        Assert.Equal("", await host.Lab.Run("docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock zone-read example.org @ RRSIG 2>/dev/null || true"));

        var again = await host.Outcome((await host.Post($"{Www}/apply", new { setZones = new[] { new { name = "example.org", dnssec = true } } })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(again) == "succeeded", RegisteredHost.Story(again));
        Assert.Equal("192.0.2.77", await host.Www());
    }

    private static async Task OneThatHasExpiredHoldsNothingElseUp(RegisteredHost host, LabHost second)
    {
        await host.Lab.Run("docker stop managed-servers-dns");
        await second.Run("docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock -b -f zone-purge +expire +zonefile example.org");

        var restarted = await host.Outcome((await host.Post("/api/v2/pvservers/ns2/restart", new { components = new[] { "dns" } })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(restarted) == "succeeded", RegisteredHost.Story(restarted));
        var log = (await host.Get($"/api/v2/runs/{restarted.GetProperty("id").GetString()}/log?limit=500")).ToString();
        Assert.Contains("It is a secondary zone: see to its primaries.", log, StringComparison.Ordinal);
    }

    private static object Secondary(RegisteredHost host) => new { name = "example.org", primaries = new[] { new { address = host.Lab.Address, key = "xfr.example.org" } } };

    private static async Task<string> Transfer(RegisteredHost host)
    {
        using var kdig = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("kdig", [$"@{host.Lab.Address}", "example.org", "AXFR"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await Task.WhenAll(kdig.StandardOutput.ReadToEndAsync(), kdig.StandardError.ReadToEndAsync());
        await kdig.WaitForExitAsync();
        return string.Concat(said);
    }

    private static async Task<string?> AtSecond(LabHost second) => (await Ask(IPAddress.Parse(second.Address), "www.example.org", QueryType.A)).Answers.ARecords().SingleOrDefault()?.Address.ToString();

    private static async Task<uint> Serial(IPAddress server) => (await Ask(server, "example.org", QueryType.SOA)).Answers.SoaRecords().Single().Serial;

    private static Task<IDnsQueryResponse> Ask(IPAddress server, string name, QueryType type) =>
        new LookupClient(new LookupClientOptions(server) { UseCache = false, Recursion = false, Retries = 2, Timeout = TimeSpan.FromSeconds(3) }).QueryAsync(name, type);

    private static async Task Register(RegisteredHost host, LabHost second)
    {
        var key = await host.Post("/api/v2/pvservers/probe", new { address = second.Address });
        var added = await host.Post("/api/v2/pvservers", new { name = "ns2", address = second.Address, sshUser = "root", password = second.RootPassword, hostKey = key.GetProperty("fingerprint").GetString() });
        Assert.True(added.TryGetProperty("id", out _), added.ToString());
    }

    private static async Task<JsonElement> Done(RegisteredHost host, string server, object request)
    {
        var run = await host.Outcome(await Start(host, server, request));
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        return run;
    }

    private static async Task<Guid> Start(RegisteredHost host, string server, object request)
    {
        var started = await host.Post($"/api/v2/pvservers/{server}/install", request);
        Assert.True(started.TryGetProperty("runId", out var run), started.ToString());
        return run.GetGuid();
    }
}
