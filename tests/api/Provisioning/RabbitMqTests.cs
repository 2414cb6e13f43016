using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>The real monitor on a host, a real RabbitMQ, the real product.</summary>
public sealed class RabbitMqTests
{
    private const string Settings = "/api/v2/settings/rabbitmq";

    [Fact]
    public async Task A_host_sends_its_hits_over_RabbitMQ_and_each_is_counted_once_while_broker_database_and_product_restart()
    {
        await using var host = await RegisteredHost.Start(alone: true);
        await using var broker = await LabBroker.Start();
        await RefusedBeforeItIsEnabled(host);
        await UnreachableFromTheHost(host, broker);
        await Enable(host, broker);
        await Install(host);

        await Ask(host, 20);
        await Counted(host, 20);
        await broker.Restart();
        await Ask(host, 20);
        host.Product.KillPostgres();
        await Counted(host, 40);
        await host.Product.Kill();
        await Ask(host, 20);
        await host.Product.Launch();
        await Counted(host, 60);

        var shown = await host.Get(Settings);
        Assert.Equal(["ns1"], shown.GetProperty("servers").EnumerateArray().Select(s => s.GetString()));
        Assert.Equal("rabbitmq", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("statistics").GetString());
        await NothingIsTold(host);
    }

    [Fact]
    public async Task A_host_that_is_installed_by_hand_sends_over_it_too_and_the_order_that_is_kept_holds_no_password()
    {
        await using var host = await ManualHost.Start();
        await using var broker = await LabBroker.Start();
        using var admin = host.Product.Admin();
        (await admin.PatchAsJsonAsync(Settings, Right(broker))).EnsureSuccessStatusCode();
        var (run, line, token) = await host.Begin("install", Request());
        await host.Lab.Run($"ip route add blackhole {broker.Address}/32");
        Assert.Contains($"RabbitMQ: found {broker.Address} port {LabBroker.TlsPort}: ", (await host.Paste(line, token)).Text, StringComparison.Ordinal);
        await host.Lab.Run($"ip route del blackhole {broker.Address}/32");

        var pasted = await host.Paste(line);

        Assert.True(pasted.ExitCode == 0, pasted.Text + RegisteredHost.Story(await host.Run(run)));
        await host.Until(run, "succeeded");
        Assert.Equal("rabbitmq", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("statistics").GetString());
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1/hits")).GetProperty("coverage").GetProperty("named").GetInt64() > 0, "the questions of the proof are counted");
        Assert.Contains(LabBroker.HostPassword, await host.Lab.Run("cat /var/lib/managed-servers/monitor/config.json"), StringComparison.Ordinal);
        Assert.DoesNotContain(LabBroker.HostPassword, pasted.Text + await host.Product.DumpDatabase() + host.Product.Output, StringComparison.Ordinal);
        (await admin.PatchAsJsonAsync(Settings, new { enabled = false })).EnsureSuccessStatusCode();
    }

    private static async Task RefusedBeforeItIsEnabled(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install", Request()).Answer();
        Assert.Equal((HttpStatusCode.BadRequest, true), (status, problem.GetProperty("errors").TryGetProperty("statistics", out _)));
    }

    /// <summary>On the host alone: the product itself would reach it.</summary>
    private static async Task UnreachableFromTheHost(RegisteredHost host, LabBroker broker)
    {
        await host.Patch(Settings, Right(broker));
        await host.Lab.Run($"ip route add blackhole {broker.Address}/32");
        var plan = await host.Post("/api/v2/pvservers/ns1/install?plan=true", Request());
        Assert.Contains($"RabbitMQ: found {broker.Address} port {LabBroker.TlsPort}: ", plan.GetProperty("wouldFail").GetString(), StringComparison.Ordinal);
        await host.Lab.Run($"ip route del blackhole {broker.Address}/32");
    }

    private static async Task Enable(RegisteredHost host, LabBroker broker)
    {
        var test = await host.Post($"{Settings}/test", new { });
        Assert.True(test.GetProperty("ok").GetBoolean(), test.ToString());
        test = await host.Post($"{Settings}/test", new { port = LabBroker.PlainPort, tls = false, password = "a-wrong-word", hostPassword = LabBroker.HostPassword });
        Assert.Contains("the password of 'product' is wrong", test.GetProperty("checks")[0].GetProperty("problem").GetString(), StringComparison.Ordinal);
        await ProductProcess.Until(async () => (await host.Get(Settings)).GetProperty("nodes").EnumerateArray().Any(n => n.GetProperty("state").GetString() == "connected"), "the product is connected");
        Assert.Equal(broker.Address, (await host.Get(Settings)).GetProperty("host").GetString());
    }

    private static async Task Install(RegisteredHost host)
    {
        var run = await host.InstallAndWait(Request());
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Contains("ok   RabbitMQ: ", (await host.Get($"/api/v2/runs/{run.GetProperty("id").GetString()}/log?limit=1000")).ToString(), StringComparison.Ordinal);
        Assert.Equal("600", await host.Lab.Run("stat -c %a /var/lib/managed-servers/monitor/config.json"));
        // Without another word it stays as it is.
        var plan = await host.Post("/api/v2/pvservers/ns1/install?plan=true", RegisteredHost.OneZone());
        Assert.False(plan.GetProperty("wouldChange").GetBoolean(), plan.ToString());
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1/hits")).GetProperty("coverage").GetProperty("connected").GetBoolean(), "the collector is connected");
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
        // Without items in the answer the database is just away.
        await ProductProcess.Until(async () => await host.Get(Hits) is var hits && hits.TryGetProperty("items", out _) && Count(hits) >= times, $"{times} hits are counted");
        Assert.Equal(times, Count(await host.Get(Hits)));
    }

    private static async Task NothingIsTold(RegisteredHost host)
    {
        foreach (var text in new[] { host.Product.Output, await host.Product.DumpDatabase(), (await host.Get(Settings)).ToString() })
        {
            Assert.DoesNotContain(LabBroker.Password, text, StringComparison.Ordinal);
            Assert.DoesNotContain(LabBroker.HostPassword, text, StringComparison.Ordinal);
        }

        using var configuration = JsonDocument.Parse(await host.Lab.Run("cat /var/lib/managed-servers/monitor/config.json"));
        Assert.Equal(LabBroker.HostUser, configuration.RootElement.GetProperty("rabbitmq").GetProperty("user").GetString());
        using var monitor = host.Product.Client(new AuthenticationHeaderValue("Bearer", configuration.RootElement.GetProperty("token").GetString()));
        Assert.Equal(HttpStatusCode.Forbidden, (await monitor.GetAsync(Settings)).StatusCode);
    }

    private static object Request() => new
    {
        components = new[] { "dns", "monitor" }, zones = new[] { new { name = "example.org", file = RegisteredHost.Zone } }, statistics = "rabbitmq",
    };

    private static object Right(LabBroker broker) => new
    {
        enabled = true, host = broker.Address, virtualHost = LabBroker.VirtualHost, user = LabBroker.User, password = LabBroker.Password, hostUser = LabBroker.HostUser,
        hostPassword = LabBroker.HostPassword, tls = true, authority = broker.AuthorityPem,
    };
}
