using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;

namespace ManagedServers.Tests.Provisioning;

/// <summary>One host, from the first install to its removal.</summary>
public sealed class InstallTests
{
    [Fact]
    public async Task An_installed_server_answers_beats_and_counts_and_a_second_install_changes_nothing()
    {
        await using var host = await RegisteredHost.Start();
        var first = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(first) == "succeeded", RegisteredHost.Story(first));

        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A, tcp: true)).Answers.ARecords().Single().Address.ToString());
        await TheListShowsItRunning(host);
        await EveryQueriedNameIsCounted(host);
        await TheContainersAreConfined(host);

        var before = await host.Footprint();
        var second = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.Equal("succeeded", RegisteredHost.State(second));
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(second));
        Assert.Equal(0, second.GetProperty("stepsChanged").GetInt32());
        Assert.Equal(Containers(before), Containers(await host.Footprint()));

        await ATestOfTheServerKnowsItsOwnDns(host);
        await AChangedZoneIsServedByTheSameContainer(host);
        await NoSecretIsAnywhere(host, first, second);
        await AbsurdCountsAreRefusedOrAddUp(host);
        await RemovalAsksFirst(host);
    }

    private static async Task TheListShowsItRunning(RegisteredHost host)
    {
        JsonElement server = default;
        await ProductProcess.Until(async () => (server = await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "running", "the server is shown as running");
        Assert.Equal(["dns", "monitor"], server.GetProperty("components").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        Assert.All(server.GetProperty("components").EnumerateArray(), c => Assert.Equal("running", c.GetProperty("state").GetString()));
        var beats = await host.Get("/api/v2/pvservers/ns1/heartbeats");
        Assert.True(beats.GetProperty("items").GetArrayLength() >= 1);
        var memory = beats.GetProperty("items")[0].GetProperty("memory").GetProperty("totalBytes").GetInt64();
        Assert.True(memory > 0);
        const string question = "/api/v2/pvservers/ns1/metrics?metric=memory.total&metric=load.1&points=24";
        var series = (await host.Get(question)).GetProperty("series");
        Assert.Equal(["load.1", "memory.total"], series.EnumerateArray().Select(s => s.GetProperty("metric").GetString()));
        var values = series[1].GetProperty("points").EnumerateArray().Select(p => p.GetProperty("value")).ToLookup(v => v.ValueKind);
        Assert.All(values[JsonValueKind.Number], v => Assert.Equal(memory, v.GetInt64()));
        Assert.NotEmpty(values[JsonValueKind.Null]);
        using var admin = host.Product.Admin();
        Assert.Contains($",{memory},{memory},{memory},,", await admin.GetStringAsync(question + "&format=csv"), StringComparison.Ordinal);
    }

    private static async Task EveryQueriedNameIsCounted(RegisteredHost host)
    {
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1/hits")).GetProperty("coverage").GetProperty("connected").GetBoolean(), "the collector is connected");
        var known = await Count(host, "www.example.org.", "AAAA");
        for (var i = 0; i < 20; i++)
        {
            await host.Ask("www.example.org", QueryType.AAAA, tcp: i % 2 == 0);
        }

        await ProductProcess.Until(async () => await Count(host, "www.example.org.", "AAAA") == known + 20, "20 hits are counted");

        using var admin = host.Product.Admin();
        Assert.Contains("\nexample.org.,www.example.org.,AAAA,", await admin.GetStringAsync("/api/v2/pvservers/ns1/hits?format=csv"), StringComparison.Ordinal);
        var unasked = (await host.Get("/api/v2/pvservers/ns1/hits/unasked")).GetProperty("items").EnumerateArray().Select(n => n.GetProperty("name").GetString()).ToList();
        Assert.DoesNotContain("www.example.org.", unasked);
        Assert.NotEmpty(unasked);
        var figures = await admin.GetStringAsync("/metrics");
        Assert.Matches(@"\nmanaged_servers_servers\{heartbeat=""(healthy|degraded)""\} 1\n", figures);
        Assert.Matches(@"\nmanaged_servers_records_total\{source=""monitor"",outcome=""new""\} [1-9]", figures);
        using var nobody = host.Product.Client(null);
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/metrics")).StatusCode);
    }

    private static async Task<long> Count(RegisteredHost host, string name, string type)
    {
        var hits = await host.Get($"/api/v2/pvservers/ns1/hits?name={name}&type={type}");
        return hits.GetProperty("items").EnumerateArray().Sum(h => h.GetProperty("count").GetInt64());
    }

    private static async Task TheContainersAreConfined(RegisteredHost host)
    {
        foreach (var name in new[] { "managed-servers-dns", "managed-servers-monitor" })
        {
            var inspected = JsonDocument.Parse(await host.Lab.Run($"docker inspect {name}")).RootElement[0].GetProperty("HostConfig");
            Assert.True(inspected.GetProperty("ReadonlyRootfs").GetBoolean());
            Assert.Equal("ALL", inspected.GetProperty("CapDrop")[0].GetString());
            Assert.True(inspected.GetProperty("Memory").GetInt64() > 0);
            Assert.Equal("always", inspected.GetProperty("RestartPolicy").GetProperty("Name").GetString());
            Assert.All(inspected.GetProperty("Binds").EnumerateArray(), b => Assert.StartsWith("/var/lib/managed-servers/", b.GetString(), StringComparison.Ordinal));
        }
    }

    private static async Task AChangedZoneIsServedByTheSameContainer(RegisteredHost host)
    {
        var container = await host.Lab.Run("docker inspect -f '{{.Id}} {{.State.StartedAt}}' managed-servers-dns");
        var changed = RegisteredHost.Zone.Replace(" 1 3600", " 2 3600", StringComparison.Ordinal).Replace("192.0.2.2", "192.0.2.77", StringComparison.Ordinal) + "\n" + RecordTypes.Lines;
        var run = await host.InstallAndWait(RegisteredHost.OneZone(changed));
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal("192.0.2.77", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        Assert.Equal(container, await host.Lab.Run("docker inspect -f '{{.Id}} {{.State.StartedAt}}' managed-servers-dns"));
        await RecordTypes.AreAnsweredToKdig(host.Lab.Address);
    }

    private static async Task NoSecretIsAnywhere(RegisteredHost host, params JsonElement[] runs)
    {
        var token = JsonDocument.Parse(await host.Lab.Run("cat /var/lib/managed-servers/agent/agent.json")).RootElement.GetProperty("token").GetString()!;
        Assert.StartsWith("ms_", token, StringComparison.Ordinal);
        var logs = string.Concat(Directory.GetFiles(Path.Combine(host.Product.DataFolder, "logs")).Select(ReadShared));
        var log = (await host.Get($"/api/v2/runs/{runs[0].GetProperty("id").GetString()}/log")).ToString();
        var processes = await host.Lab.Run("ps -ewwo args");
        var inspected = await host.Lab.Run("docker inspect managed-servers-dns managed-servers-monitor");
        var database = await host.Product.DumpDatabase();
        string[] places = [logs, log, processes, inspected, host.Product.Output, database, (await host.Get("/api/v2/pvservers/ns1")).ToString(), .. runs.Select(r => r.ToString())];
        Assert.Contains("example.org", database, StringComparison.Ordinal);
        foreach (var secret in new[] { host.Lab.RootPassword, token, host.Product.AdminPassword })
        {
            Assert.All(places, text => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        }

        Assert.All(Directory.GetFiles(Path.Combine(host.Product.DataFolder, "logs")), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.Equal("600", await host.Lab.Run("stat -c %a /var/lib/managed-servers/agent/agent.json"));
    }

    private static async Task ATestOfTheServerKnowsItsOwnDns(RegisteredHost host)
    {
        var test = await host.Post("/api/v2/pvservers/ns1/test", new { });
        Assert.True(test.GetProperty("ok").GetBoolean(), test.ToString());
        var found = test.GetProperty("checks").EnumerateArray().ToDictionary(c => c.GetProperty("name").GetString()!, c => c.GetProperty("found").GetString());
        Assert.Equal("0.0.0.0 port 53 is held by this server's own DNS", found["port 53"]);
        Assert.Equal("managed as this server", found["owner"]);
    }

    private static async Task AbsurdCountsAreRefusedOrAddUp(RegisteredHost host)
    {
        const long largest = 1_000_000_000_000;
        var token = JsonDocument.Parse(await host.Lab.Run("cat /var/lib/managed-servers/agent/agent.json")).RootElement.GetProperty("token").GetString()!;
        using var reporter = host.Product.Client(new("Bearer", token));
        Assert.Equal(HttpStatusCode.Forbidden, (await reporter.DeleteAsync("/api/v2/tokens/current")).StatusCode);
        foreach (var absurd in new[] { largest + 1, long.MaxValue, -1 })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await reporter.PostAsJsonAsync("/api/v2/monitoring/dns", Report(absurd, 1))).StatusCode);
        }

        Assert.Equal(HttpStatusCode.Accepted, (await reporter.PostAsJsonAsync("/api/v2/monitoring/dns", Report(largest, 1000))).StatusCode);
        using var admin = host.Product.Admin();
        foreach (var sort in new[] { "count", "total", "last", "name" })
        {
            var (status, hits) = await admin.GetAsync($"/api/v2/pvservers/ns1/hits?sort={sort}&name=absurd.example.org").Answer();
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(1000 * largest, hits.GetProperty("items")[0].GetProperty("total").GetInt64());
        }
    }

    private static object Report(long count, int samples)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new
        {
            // Agents and monitors may be newer than the product.
            epoch = new string('a', 32), now, inventedLater = 1,
            samples = Enumerable.Range(1, samples).Select(seq => new
            {
                inventedLater = true, seq, from = now.AddSeconds(-10), to = now, queries = count, named = count, other = 0, connected = true,
                names = new[] { new { inventedLater = "x", zone = "example.org.", name = "absurd.example.org.", type = "A", count, last = now } },
                responses = new Dictionary<string, long> { ["NOERROR"] = count },
            }),
        };
    }

    private static async Task RemovalAsksFirst(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.DeleteAsync("/api/v2/pvservers/ns1").Answer();
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Equal("components-installed", problem.GetProperty("type").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync("/api/v2/pvservers/ns1?force=true")).StatusCode);
        Assert.Equal(0, (await host.Get("/api/v2/pvservers")).GetProperty("items").GetArrayLength());
    }

    private static string Containers(string footprint) => string.Join('\n', footprint.Split('\n').Where(l => l.Contains("managed-servers-", StringComparison.Ordinal)));

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
