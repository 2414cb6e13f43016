using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>DHCP on real hosts, with real clients that want an address.</summary>
public sealed class DhcpTests
{
    private const string Reserved = "02:4d:53:00:00:07";

    // A DHCP server of another test would answer the clients too.
    private static readonly LabOptions Alone = new() { Segment = "dhcp" };

    private static readonly (string Request, string Field, string Rule)[] Broken =
    [
        ("""{"dhcp":{"subnet4":[]}}""", "dhcp.subnet4", "at least one subnet"),
        ("""{"dhcp":{"Dhcp4":{"subnet4":[{"subnet":"10.0.0.0/33"}]}}}""", "dhcp.Dhcp4.subnet4[0].subnet", "must be an IPv4 network"),
        ("""{"dhcp":{"subnet4":[{"subnet":"10.0.0.0/8"}],"hooks-libraries":[{"library":"/x.so"}]}}""", "dhcp.hooks-libraries", "set by the product"),
        ("""{"dhcp":[]}""", "dhcp", "a JSON object"),
        ("""{"components":["dhcp"]}""", "dhcp", "must be Kea's Dhcp4 document"),
        ("""{"components":["dns"],"zones":[{"name":"example.org","file":"x"}],"dhcp":{"subnet4":[{"subnet":"10.0.0.0/8"}]}}""", "dhcp", "'dhcp' is not among the components"),
        ("""{"components":["monitor"]}""", "components", "must contain 'dns' or 'dhcp'"),
    ];

    [Fact]
    public async Task An_installed_Kea_leases_addresses_and_is_controlled_changed_and_taken_away_beside_DNS()
    {
        await using var host = await RegisteredHost.Start(Alone);
        await using var client = await LabClient.Start(Alone);
        var before = await host.Footprint();
        var net = host.Lab.Address[..host.Lab.Address.LastIndexOf('.')];

        var installed = await Done(host, await host.Install(new { dhcp = Document(net, 200, 219) }));
        Assert.Equal("install dhcp and monitor on ns1", installed.GetProperty("title").GetString());
        await LeasesAreGiven(client, net, 200, 219);
        await WhatKeaGivesAwayIsCounted(host, net);

        var again = await Done(host, await host.Install(new { dhcp = Document(net, 200, 219) }));
        Assert.Equal("Nothing had to be changed.", RegisteredHost.Reason(again));

        await DnsComesBesideIt(host, client, net);
        await AChangeOfThePoolIsServedWithoutARestart(host, client, net);
        await ADocumentThatKeaRefusesChangesNothing(host, client, net);
        await StopAndStart(host, client, net);
        await ItServesAgainAfterARebootWithItsLeases(host, client, net);

        await Done(host, (await host.Post("/api/v2/pvservers/ns1/uninstall", new { })).GetProperty("runId").GetGuid());
        Assert.Equal(before, await host.Footprint());
    }

    [Fact]
    public async Task What_cannot_be_served_is_refused_by_its_place_and_another_DHCP_server_is_found_before_anything_is_changed()
    {
        await using var host = await RegisteredHost.Start();
        foreach (var (request, field, rule) in Broken)
        {
            using var admin = host.Product.Admin();
            var (status, problem) = await admin.PostAsync("/api/v2/pvservers/ns1/install", new StringContent(request, Encoding.UTF8, "application/json")).Answer();
            Assert.True(status == HttpStatusCode.BadRequest, $"{request}: {status} {problem}");
            Assert.Contains(rule, problem.GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.Ordinal);
        }

        await host.Lab.Run("nohup python3 -c 'import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"0.0.0.0\", 67)); time.sleep(600)' > /dev/null 2>&1 &");
        await ProductProcess.Until(async () => (await host.Lab.Run("ss -lun")).Contains(":67 ", StringComparison.Ordinal), "somebody listens on port 67");
        var before = await host.Footprint();

        var run = await host.InstallAndWait(new { dhcp = Document("10.1.2", 10, 20) });

        Assert.Equal("failed", RegisteredHost.State(run));
        Assert.Contains("udp 0.0.0.0 port 67 taken by python3", RegisteredHost.Reason(run), StringComparison.Ordinal);
        Assert.Equal(before, await host.Footprint());
    }

    private static async Task WhatKeaGivesAwayIsCounted(RegisteredHost host, string net)
    {
        // The client's, the one that is reserved and eight of perfdhcp.
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1/dhcp/subnets")).GetProperty("items").EnumerateArray()
            .Any(s => s.GetProperty("subnet").GetString() == $"{net}.0/24" && (s.GetProperty("total").GetInt64(), s.GetProperty("assigned").GetInt64()) == (20, 10)), "the monitor has told of ten leases", TimeSpan.FromMinutes(3));
        var packets = (await host.Get("/api/v2/pvservers/ns1/metrics?metric=dhcp.packets")).GetProperty("series").EnumerateArray()
            .ToDictionary(s => s.GetProperty("label").GetString()!, s => s.GetProperty("points").EnumerateArray().Sum(p => p.TryGetProperty("increase", out var i) ? i.GetDouble() : 0));
        Assert.Equal((10, 10), (packets["offer-sent"], packets["ack-sent"]));

        var leases = (await host.Get("/api/v2/pvservers/ns1/dhcp/leases?limit=9")).GetProperty("items").EnumerateArray().ToList();
        Assert.All(leases, l => Assert.Equal("assigned", l.GetProperty("state").GetString()));
        var rest = (await host.Get($"/api/v2/pvservers/ns1/dhcp/leases?after={leases[^1].GetProperty("address").GetString()}")).GetProperty("items").EnumerateArray();
        Assert.Equal(Reserved, leases.Concat(rest).Single(l => l.GetProperty("address").GetString() == $"{net}.250").GetProperty("hardwareAddress").GetString());
    }

    private static async Task LeasesAreGiven(LabClient client, string net, int first, int last)
    {
        var lease = await client.Lease("02:4d:53:00:00:01");
        var address = lease.Split("fixed-address ")[1].Split(';')[0];
        Assert.StartsWith(net + ".", address, StringComparison.Ordinal);
        Assert.InRange(int.Parse(address.Split('.')[3], System.Globalization.CultureInfo.InvariantCulture), first, last);
        Assert.Contains($"option routers {net}.1;", lease, StringComparison.Ordinal);
        Assert.Contains($"fixed-address {net}.250;", await client.Lease(Reserved), StringComparison.Ordinal);

        var many = await client.Run("perfdhcp -4 -l eth0 -R 8 -n 8 -r 8 -W 1000000 2>&1; true");
        Assert.Contains("REQUEST-ACK***\nsent packets: 8\nreceived packets: 8\n", many.Text, StringComparison.Ordinal);
    }

    private static async Task DnsComesBesideIt(RegisteredHost host, LabClient client, string net)
    {
        var both = await Done(host, await host.Install(RegisteredHost.OneZone()));
        Assert.Equal("install dns and monitor on ns1", both.GetProperty("title").GetString());
        Assert.Equal("192.0.2.2", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        await LeasesAreGiven(client, net, 200, 219);
        var components = (await host.Get("/api/v2/pvservers/ns1")).GetProperty("components").EnumerateArray().Select(c => c.GetProperty("name").GetString());
        Assert.Equal(["dhcp", "dns", "monitor"], components.Order());
    }

    private static async Task AChangeOfThePoolIsServedWithoutARestart(RegisteredHost host, LabClient client, string net)
    {
        var container = await host.Lab.Run("docker inspect -f '{{.Id}} {{.State.StartedAt}}' managed-servers-dhcp");
        await Done(host, await host.Install(new { components = new[] { "dhcp" }, dhcp = Document(net, 220, 239) }));
        Assert.Equal(container, await host.Lab.Run("docker inspect -f '{{.Id}} {{.State.StartedAt}}' managed-servers-dhcp"));
        await LeasesAreGiven(client, net, 220, 239);
    }

    private static async Task ADocumentThatKeaRefusesChangesNothing(RegisteredHost host, LabClient client, string net)
    {
        var other = await Refused(host, new { dhcp = Document("10.99.99", 1, 2) });
        Assert.Contains($"would no longer serve {net}.0/24, which ns1 serves now", other, StringComparison.Ordinal);

        var before = await host.Lab.Run("ls -R /var/lib/managed-servers/dhcp/config");
        var run = await host.InstallAndWait(new { dhcp = new { subnet4 = new[] { new { subnet = $"{net}.0/24", pools = new[] { new { pool = "10.99.0.1-10.99.0.9" } } } } } });
        Assert.Equal("failed", RegisteredHost.State(run));
        Assert.Contains("refuses the configuration: ", RegisteredHost.Reason(run), StringComparison.Ordinal);
        Assert.Contains("10.99.0.1", RegisteredHost.Reason(run), StringComparison.Ordinal);
        Assert.Equal(before, await host.Lab.Run("ls -R /var/lib/managed-servers/dhcp/config"));
        await LeasesAreGiven(client, net, 220, 239);
    }

    private static async Task StopAndStart(RegisteredHost host, LabClient client, string net)
    {
        await Done(host, (await host.Post("/api/v2/pvservers/ns1/stop", new { components = new[] { "dhcp" } })).GetProperty("runId").GetGuid());
        Assert.Equal("exited running", await host.Lab.Run("echo $(docker inspect -f '{{.State.Status}}' managed-servers-dhcp managed-servers-dns)"));
        var started = await Done(host, (await host.Post("/api/v2/pvservers/ns1/start", new { })).GetProperty("runId").GetGuid());
        Assert.Equal("succeeded", RegisteredHost.Step(started, "prove-dhcp").GetProperty("state").GetString());
        await LeasesAreGiven(client, net, 220, 239);
    }

    private static async Task ItServesAgainAfterARebootWithItsLeases(RegisteredHost host, LabClient client, string net)
    {
        var leases = await host.Lab.Run("grep -c . /var/lib/managed-servers/dhcp/data/kea-leases4.csv");
        await host.Lab.LosePower();
        await ProductProcess.Until(async () => (await host.Lab.TryRun("docker inspect -f '{{.State.Status}}' managed-servers-dhcp")).Text.Trim() == "running", "Kea runs again");
        await LeasesAreGiven(client, net, 220, 239);
        Assert.True(int.Parse(await host.Lab.Run("grep -c . /var/lib/managed-servers/dhcp/data/kea-leases4.csv"), System.Globalization.CultureInfo.InvariantCulture)
            >= int.Parse(leases, System.Globalization.CultureInfo.InvariantCulture));
    }

    private static object Document(string net, int first, int last) => new Dictionary<string, object>
    {
        ["valid-lifetime"] = 600,
        ["subnet4"] = new object[]
        {
            new Dictionary<string, object>
            {
                ["subnet"] = $"{net}.0/24",
                ["pools"] = new[] { new { pool = $"{net}.{first} - {net}.{last}" } },
                ["option-data"] = new[] { new { name = "routers", data = $"{net}.1" } },
                ["reservations"] = new[] { new Dictionary<string, string> { ["hw-address"] = Reserved, ["ip-address"] = $"{net}.250" } },
            },
        },
    };

    private static async Task<JsonElement> Done(RegisteredHost host, Guid id)
    {
        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        return run;
    }

    private static async Task<string> Refused(RegisteredHost host, object request)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install", request).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        return problem.ToString();
    }
}
