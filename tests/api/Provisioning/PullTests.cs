using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using DnsClient;
using ManagedServers.Lab;
using Npgsql;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A host from which nothing reaches the product: what is measured there is fetched.</summary>
public sealed class PullTests
{
    private static readonly LabUser Runner = new() { Name = "runner", Password = "word-for-runner", Groups = ["docker"] };

    [Fact]
    public async Task From_a_host_that_cannot_reach_the_product_every_beat_and_hit_is_fetched_once_whatever_breaks()
    {
        await using var host = await RegisteredHost.Start(user: Runner, alone: true);
        var before = await host.Footprint();
        await Wall(host);
        var refused = await host.Post("/api/v2/pvservers/ns1/install?plan=true", Request("https"));
        Assert.Contains("product's address", refused.GetProperty("wouldFail").GetString(), StringComparison.Ordinal);
        await ByHandItIsRefused(host);

        await host.Patch("/api/v2/settings/monitoring", new { heartbeatIntervalSeconds = 5, pullIntervalSeconds = 5 });
        var run = await host.InstallAndWait(Request("pull"));
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await host.InstallAndWait(RegisteredHost.OneZone())));
        await ProductProcess.Until(async () => (await Server(host)).GetProperty("state").GetString() == "running", "the server is shown as running");
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1/hits")).GetProperty("coverage").GetProperty("connected").ValueKind == JsonValueKind.True, "the collector is connected");
        await Ask(host, 20);
        await Counted(host, 20);

        await TheProductIsKilledInASweep(host);
        await TheHostCannotBeReachedForAWhile(host);
        await TheHostIsRebooted(host);
        await ASpoolIsReplaced(host);
        await ProductProcess.Until(async () => (await Server(host)).GetProperty("heartbeat") is var beat && beat.GetProperty("status").GetString() == "healthy", "four beats of the last two minutes are there");
        await EachIsThereOnce(host);
        await SweepsHideNoOtherRuns(host);
        await OneLoginServesManySweeps(host);

        await Ask(host, 20);
        var uninstalled = await host.Outcome((await host.Post("/api/v2/pvservers/ns1/uninstall", new { })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(uninstalled) == "succeeded", RegisteredHost.Story(uninstalled));
        await Counted(host, 100);
        Assert.Equal(before, await host.Footprint());
        await ProductProcess.Until(async () => !(await host.Get("/api/v2/schedules/poll-statistics")).TryGetProperty("every", out _), "there are no more sweeps");
    }

    private static async Task ByHandItIsRefused(RegisteredHost host)
    {
        await host.Post("/api/v2/pvservers", new { name = "by-hand", installation = "manual" });
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/by-hand/install", Request("pull")).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("needs a login on the host", problem.GetProperty("errors").GetProperty("statistics")[0].GetString(), StringComparison.Ordinal);
    }

    /// <summary>The agent holds the sweep up, for so long that the product dies in it.</summary>
    private static async Task TheProductIsKilledInASweep(RegisteredHost host)
    {
        await Ask(host, 20);
        await host.Lab.Run("pkill -STOP -f 'agent[.]py run'");
        await ProductProcess.Until(async () => (await host.Get("/api/v2/runs?kind=poll-statistics&state=running")).GetProperty("items").GetArrayLength() > 0, "a sweep is under way");
        await host.Product.Kill();
        await host.Lab.Run("pkill -CONT -f 'agent[.]py run'");
        await host.Product.Launch();
        await Counted(host, 40);
    }

    private static async Task TheHostCannotBeReachedForAWhile(RegisteredHost host)
    {
        await host.Lab.Run("lab-service ssh stop; pkill -KILL -f '^sshd: runner'; true");
        await Ask(host, 20);
        await ProductProcess.Until(async () => (await Server(host)).GetProperty("pullProblem").ValueKind == JsonValueKind.String, "three failures in a row are told");
        Assert.Contains("refused the connection", (await Server(host)).GetProperty("pullProblem").GetString(), StringComparison.Ordinal);
        var sweep = (await host.Get("/api/v2/runs?kind=poll-statistics&state=succeeded&limit=1")).GetProperty("items")[0].GetProperty("id").GetGuid();
        Assert.Contains("1 not read: ns1: ", RegisteredHost.Step(await host.Run(sweep), "pull").GetProperty("summary").GetString(), StringComparison.Ordinal);

        await host.Lab.Run("lab-service ssh start");
        await Counted(host, 60);
        await ProductProcess.Until(async () => (await Server(host)).GetProperty("pullProblem").ValueKind == JsonValueKind.Null, "it is read again");
    }

    private static async Task TheHostIsRebooted(RegisteredHost host)
    {
        await host.Lab.Reboot();
        await Wall(host);
        await ProductProcess.Until(async () => (await host.Lab.TryRun("docker exec managed-servers-monitor /usr/bin/python3 /usr/lib/managed-servers/monitor.py --check")).ExitCode == 0, "the collector is connected again");
        await Ask(host, 20);
        await Counted(host, 80);
    }

    private static async Task ASpoolIsReplaced(RegisteredHost host)
    {
        await host.Lab.Run("rm -rf /home/runner/.managed-servers/agent/spool && pkill -KILL -f 'agent[.]py run'");
        await ProductProcess.Until(async () => (await Query<long>(host, "select count(*) from monitoring.source where kind = 'agent' and upper(seen) > 3")).Single() == 2, "beats of a second epoch are fetched");
    }

    /// <summary>Of each spool every number from the first to the last, and no beat twice.</summary>
    private static async Task EachIsThereOnce(RegisteredHost host)
    {
        Assert.All(await Query<string>(host, "select seen::text from monitoring.source"), seen => Assert.Matches(@"^\{\[1,\d+\)\}$", seen));
        Assert.Equal(0, (await Query<long>(host, "select count(*) from (select from monitoring.heartbeat group by source_id, seq having count(*) > 1) twice")).Single());
    }

    private static async Task SweepsHideNoOtherRuns(RegisteredHost host)
    {
        Assert.Equal(["install", "install"], (await host.Get("/api/v2/runs")).GetProperty("items").EnumerateArray().Select(r => r.GetProperty("kind").GetString()));
        Assert.NotEqual(0, (await host.Get("/api/v2/runs?kind=poll-statistics")).GetProperty("items").GetArrayLength());
    }

    private static async Task OneLoginServesManySweeps(RegisteredHost host)
    {
        Task<string> Logins() => host.Lab.Run("grep -c '^Accepted ' /var/log/ssh.log");
        async Task<string?> Last() => (await host.Get("/api/v2/runs?kind=poll-statistics&state=succeeded&limit=1")).GetProperty("items")[0].GetProperty("id").GetString();
        var before = await Logins();
        for (var sweep = 0; sweep < 2; sweep++)
        {
            var last = await Last();
            await ProductProcess.Until(async () => await Last() != last, "there is another sweep");
        }

        Assert.Equal(before, await Logins());
    }

    /// <summary>Nothing that the host begins reaches the product.</summary>
    private static async Task Wall(RegisteredHost host) => await host.Lab.Run($"iptables -I OUTPUT -p tcp --syn -d {host.Lab.Gateway} -j REJECT");

    private static Task<JsonElement> Server(RegisteredHost host) => host.Get("/api/v2/pvservers/ns1");

    private static async Task<IEnumerable<T>> Query<T>(RegisteredHost host, string sql)
    {
        await using var connection = new NpgsqlConnection(host.Product.ConnectionString);
        return await connection.QueryAsync<T>(sql);
    }

    private static async Task Ask(RegisteredHost host, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await host.Ask("www.example.org", QueryType.AAAA);
        }
    }

    private static async Task Counted(RegisteredHost host, long times)
    {
        long Count(JsonElement hits) => hits.GetProperty("items").EnumerateArray().Sum(h => h.GetProperty("count").GetInt64());
        const string Hits = "/api/v2/pvservers/ns1/hits?name=www.example.org.&type=AAAA";
        await ProductProcess.Until(async () => Count(await host.Get(Hits)) >= times, $"{times} hits are counted");
        Assert.Equal(times, Count(await host.Get(Hits)));
    }

    private static object Request(string statistics) => new
    {
        components = new[] { "dns", "monitor" }, zones = new[] { new { name = "example.org", file = RegisteredHost.Zone } }, statistics,
    };
}
