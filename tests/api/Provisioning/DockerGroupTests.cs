using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A host on which the product signs in as a user of the group docker, who never becomes root.</summary>
public sealed class DockerGroupTests
{
    private const string Folder = "/home/runner/.managed-servers";
    private const string CronStep = "echo runner >> /etc/cron.allow";
    private static readonly LabUser Runner = new() { Name = "runner", Password = "word-for-runner", Groups = ["docker"] };

    [Fact]
    public async Task Without_root_a_server_waits_for_its_root_steps_serves_from_the_users_own_folder_and_is_taken_away_again()
    {
        await using var host = await RegisteredHost.Start(new LabOptions { Setup = "echo root > /etc/cron.allow" }, Runner);
        await host.Lab.Run("nohup python3 -c 'import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"0.0.0.0\", 53)); time.sleep(6000)' > /dev/null 2>&1 & echo $! > /run/holder");
        await ProductProcess.Until(async () => (await host.Lab.Run("ss -lun")).Contains(":53 ", StringComparison.Ordinal), "somebody listens on port 53");
        var server = await host.Get("/api/v2/pvservers/ns1");
        Assert.Equal(("docker", Folder), (server.GetProperty("login").GetString(), server.GetProperty("folder").GetString()));
        await ATestShowsWhatIsForRoot(host);
        await ACommandThatNeedsRootIsRefused(host);

        var before = await host.Footprint();
        await TheInstallWaitsForRoot(host, before);
        await AnInstallIsTakenBackWhole(host, before);

        // Not the lab's own network, where another test's clients would be given addresses by this host.
        const string net = "198.18.0";
        await Succeeds(host, await host.Install(new { dhcp = new { subnet4 = new[] { new { subnet = $"{net}.0/24", pools = new[] { new { pool = $"{net}.200 - {net}.219" } } } } } }));
        var id = await host.Install(RegisteredHost.OneZone(pre: [Command("whoami", "id -un > /tmp/who; echo $MANAGED_SERVERS_SERVER >> /tmp/who")]));
        await ProductProcess.Until(async () => RegisteredHost.Step(await host.Run(id), "start-dns").GetProperty("state").GetString() is "running" or "succeeded", "Knot is started");
        await host.Product.Kill();
        await host.Product.Launch();
        Assert.Equal("nothing is left for root to do on this host", RegisteredHost.Step(await Succeeds(host, id), "root-steps").GetProperty("summary").GetString());
        Assert.Equal("runner\nns1", await host.Lab.Run("cat /tmp/who; rm /tmp/who"));
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(await Succeeds(host, await host.Install(RegisteredHost.OneZone()))));
        await EverythingIsTheUsers(host);

        foreach (var verb in new[] { "stop", "start", "restart" })
        {
            await Succeeds(host, (await host.Post($"/api/v2/pvservers/ns1/{verb}", new { postCommands = new[] { Command("whoami", "id -un >> /tmp/who") } })).GetProperty("runId").GetGuid());
        }

        await Succeeds(host, (await host.Post("/api/v2/pvservers/ns1/run-commands", new { commands = new[] { Command("whoami", "id -un >> /tmp/who") } })).GetProperty("runId").GetGuid());
        Assert.Equal("runner\nrunner\nrunner\nrunner", await host.Lab.Run("cat /tmp/who; rm /tmp/who"));

        await ItComesBackAfterAReboot(host);
        await Succeeds(host, (await host.Post("/api/v2/pvservers/ns1/uninstall", new { })).GetProperty("runId").GetGuid());
        Assert.Equal(before, await host.Footprint());
    }

    private static async Task ATestShowsWhatIsForRoot(RegisteredHost host)
    {
        var test = await host.Post("/api/v2/pvservers/ns1/test", new { });
        Assert.True(test.GetProperty("ok").GetBoolean(), test.ToString());
        var forRoot = test.GetProperty("checks").EnumerateArray().Where(c => c.GetProperty("rootStep").GetBoolean()).ToDictionary(c => c.GetProperty("name").GetString()!, c => c.GetProperty("fix").GetString()!);
        Assert.Equal(["agent at boot", "port 53"], forRoot.Keys.Order());
        Assert.Equal(CronStep, forRoot["agent at boot"]);
    }

    private static async Task ACommandThatNeedsRootIsRefused(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var asRoot = new[] { new { name = "as root", command = "true" } };
        foreach (var (verb, body, field) in new (string, object, string)[]
        {
            ("install", RegisteredHost.OneZone(pre: asRoot), "preCommands[0].asRoot"), ("run-commands", new { commands = asRoot }, "commands[0].asRoot"),
        })
        {
            var (status, problem) = await admin.PostAsJsonAsync($"/api/v2/pvservers/ns1/{verb}", body).Answer();
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains("user runner never becomes root on ns1", problem.GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.Ordinal);
        }

        await admin.PostAsJsonAsync("/api/v2/commands", new { name = "as root", text = "true", uses = new[] { "pre-install" } }).Json();
        var chosen = await admin.PutAsJsonAsync("/api/v2/pvservers/ns1/commands", new { preCommands = new[] { "as root" } }).Json();
        Assert.Contains("user runner never becomes root on ns1", chosen.GetProperty("errors").GetProperty("preCommands[0]")[0].GetString(), StringComparison.Ordinal);
    }

    private static async Task TheInstallWaitsForRoot(RegisteredHost host, string before)
    {
        var id = await host.Install(RegisteredHost.OneZone());
        var waiting = await Waits(host, id, CronStep);
        Assert.Contains("'sport = :53'", RegisteredHost.Reason(waiting), StringComparison.Ordinal);
        Assert.Contains($"\"{CronStep}\"", (await host.Get($"/api/v2/runs/{id}/log")).ToString(), StringComparison.Ordinal);
        Assert.Equal(before, await host.Footprint());
        await host.Product.Kill();
        await host.Product.Launch();

        await host.Lab.Run(CronStep);
        await host.Post($"/api/v2/runs/{id}/retry", new { });
        var still = await Waits(host, id, "'sport = :53'");
        Assert.DoesNotContain(CronStep, RegisteredHost.Reason(still), StringComparison.Ordinal);

        await host.Lab.Run("kill $(cat /run/holder)");
        await host.Post($"/api/v2/runs/{id}/retry", new { });
        await Succeeds(host, id);
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        await Succeeds(host, (await host.Post("/api/v2/pvservers/ns1/uninstall", new { })).GetProperty("runId").GetGuid());
        Assert.Equal(before, await host.Footprint());
    }

    private static async Task AnInstallIsTakenBackWhole(RegisteredHost host, string before)
    {
        var paused = await host.InstallAndWait(RegisteredHost.OneZone(post: [Command("say no", "exit 9")]));
        Assert.True(RegisteredHost.State(paused) == "paused", RegisteredHost.Story(paused));
        await host.Post($"/api/v2/runs/{paused.GetProperty("id").GetString()}/cancel", new { undo = true });
        await ProductProcess.Until(async () => RegisteredHost.State(await host.Run(paused.GetProperty("id").GetGuid())) == "cancelled", "the install is undone");
        Assert.Equal(before, await host.Footprint());
    }

    private static async Task EverythingIsTheUsers(RegisteredHost host)
    {
        Assert.Equal("runner", await host.Lab.Run("ps -eo user:20=,args= | awk '/[a]gent.py run/ { print $1 }'"));
        Assert.Equal("600 runner", await host.Lab.Run($"stat -c '%a %U' {Folder}/agent/agent.json"));
        Assert.Equal("", await host.Lab.Run("ls -d /var/lib/managed-servers 2>/dev/null || true"));
        foreach (var (name, capabilities) in new[] { ("dns", "DAC_OVERRIDE NET_BIND_SERVICE"), ("monitor", "DAC_OVERRIDE"), ("dhcp", "DAC_OVERRIDE NET_BIND_SERVICE NET_RAW") })
        {
            var inspected = JsonDocument.Parse(await host.Lab.Run($"docker inspect managed-servers-{name}")).RootElement[0].GetProperty("HostConfig");
            Assert.Equal(capabilities, string.Join(' ', inspected.GetProperty("CapAdd").EnumerateArray().Select(c => c.GetString()!.Replace("CAP_", "", StringComparison.Ordinal)).Order()));
            Assert.Equal("ALL", inspected.GetProperty("CapDrop")[0].GetString());
            Assert.All(inspected.GetProperty("Binds").EnumerateArray(), b => Assert.StartsWith($"{Folder}/", b.GetString(), StringComparison.Ordinal));
        }
    }

    private static async Task ItComesBackAfterAReboot(RegisteredHost host)
    {
        await host.Lab.Reboot();
        await ProductProcess.Until(async () => await host.Lab.Run("ps -eo user:20=,args= | awk '/[a]gent.py run/ { print $1 }'") == "runner", "the agent runs again");
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "running", "the server is shown as running");
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
    }

    private static async Task<JsonElement> Waits(RegisteredHost host, Guid id, string why)
    {
        JsonElement run = default;
        await ProductProcess.Until(async () => RegisteredHost.State(run = await host.Run(id)) == "waiting" && RegisteredHost.Reason(run).Contains(why, StringComparison.Ordinal), $"the run waits for: {why}");
        return run;
    }

    private static object Command(string name, string command) => new { name, command, asRoot = false };

    private static async Task<JsonElement> Succeeds(RegisteredHost host, Guid id)
    {
        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        return run;
    }
}
