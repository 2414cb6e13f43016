using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What somebody does to a host past the product is found, and answered.</summary>
public sealed class DriftTests
{
    private const string Config = "/var/lib/managed-servers/dns/config";

    [Fact]
    public async Task What_is_done_by_hand_is_found_put_back_or_accepted_and_a_stop_through_the_product_is_no_drift()
    {
        await using var host = await RegisteredHost.Start();
        await host.InstallAndWait(Both(host));
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "running", "the server is shown as running");
        Assert.Empty(await Found(host));
        Assert.True((await host.Get("/api/v2/pvservers/ns1/drift")).GetProperty("checkedAt").ValueKind == JsonValueKind.String);

        await EachIsFoundAndPutBack(host);
        await ZonesAndDocumentsAreAccepted(host);
        await WhatCannotBeAcceptedIsRefusedWithTheReason(host);
        await AStopThroughTheProductIsNoDrift(host);
        await ARunThatIsPausedThereIsALine(host);
        await AHostThatCannotBeReachedIsALine(host);
    }

    private static async Task ARunThatIsPausedThereIsALine(RegisteredHost host)
    {
        var paused = await host.Outcome(await host.Install(RegisteredHost.OneZone(post: [new { name = "fails", command = "exit 3" }])));
        Assert.Equal("paused", RegisteredHost.State(paused));
        await host.Outcome((await host.Post("/api/v2/drift/check", new { })).GetProperty("runId").GetGuid());
        Assert.Contains("is paused there", (await host.Get("/api/v2/drift")).GetProperty("items")[0].GetProperty("problem").GetString(), StringComparison.Ordinal);

        var id = paused.GetProperty("id").GetGuid();
        await host.Post($"/api/v2/runs/{id}/cancel", new { });
        await ProductProcess.Until(async () => RegisteredHost.State(await host.Get($"/api/v2/runs/{id}")) == "cancelled", "the run is cancelled");
    }

    private static async Task EachIsFoundAndPutBack(RegisteredHost host)
    {
        await host.Lab.Run($"cd {Config} && echo 'hand A 192.0.2.99' >> current/zones/example.org.zone && docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock reload && touch current/zones/more && rm knot.conf && cp current/knot.conf knot.conf");
        await host.Lab.Run("docker stop managed-servers-dhcp >/dev/null && docker rm -f managed-servers-monitor >/dev/null");
        Assert.Equal(
        [
            "dhcp stopped managed-servers-dhcp", "dns current knot.conf", "dns file zones/example.org.zone", "dns file zones/more", "monitor container managed-servers-monitor",
        ], await Found(host));
        var server = await host.Get("/api/v2/pvservers/ns1");
        Assert.Contains("4 more: msctl drift list", (server.GetProperty("state").GetString(), server.GetProperty("stateReason").GetString()) is ("drifted", var why) ? why! : "There are 4 more: msctl drift list", StringComparison.Ordinal);

        await Done(host, await host.Post("/api/v2/pvservers/ns1/drift/reapply", new { }));
        Assert.Equal(0, (await host.Get("/api/v2/drift")).GetProperty("items").GetArrayLength());
        Assert.Empty(await Found(host));
        Assert.Equal("running running running", await host.Lab.Run("echo $(docker inspect -f '{{.State.Status}}' managed-servers-dns managed-servers-dhcp managed-servers-monitor)"));
        Assert.Equal(DnsHeaderResponseCode.NotExistentDomain, (await host.Ask("hand.example.org", QueryType.A)).Header.ResponseCode);

        // A file that Knot has taken without anybody's wish, and another configuration as the current one.
        await host.Lab.Run($"cd {Config} && cp -r $(readlink current) by-hand && sed -i 's/ 1 3600/ 9 3600/' by-hand/zones/example.org.zone && ln -sfn by-hand current && docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock -b reload");
        Assert.Equal(["dns current current", "dns file zones/example.org.zone", "dns served example.org"], await Found(host));
        await ProductProcess.Until(async () => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString() == "drifted", "the server is shown as drifted");
        await Done(host, await host.Post("/api/v2/pvservers/ns1/drift/reapply", new { }));
        Assert.Empty(await Found(host));

        await host.Lab.Run("docker rm -f managed-servers-dns >/dev/null && docker run -d --name managed-servers-dns --network host --entrypoint /usr/sbin/knotd -v " + Config + ":/etc/knot:ro -v /var/lib/managed-servers/dns/data:/var/lib/knot -v /var/lib/managed-servers/dns/run:/run/knot $(docker images --format '{{.Repository}}:{{.Tag}}' managed-servers/knot) -c /etc/knot/knot.conf >/dev/null");
        Assert.Equal(["dns specification managed-servers-dns"], await Found(host));
        await Done(host, await host.Post("/api/v2/pvservers/ns1/drift/reapply", new { }));
        Assert.Empty(await Found(host));
    }

    private static async Task ZonesAndDocumentsAreAccepted(RegisteredHost host)
    {
        await host.Lab.Run($"sed -i 's/ 1 3600/ 2 3600/; s/192.0.2.2$/192.0.2.44/' {Config}/current/zones/example.org.zone && sed -i 's/\"valid-lifetime\": 600/\"valid-lifetime\": 700/' /var/lib/managed-servers/dhcp/config/current/kea-dhcp4.conf");
        Assert.Equal(["dhcp file kea-dhcp4.conf", "dns file zones/example.org.zone"], await Found(host));
        await Done(host, await host.Post("/api/v2/pvservers/ns1/drift/accept", new { message = "the night shift's" }));

        Assert.Equal("192.0.2.44", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
        Assert.Empty(await Found(host));
        var served = (await host.Get("/api/v2/pvservers/ns1/configuration")).GetProperty("items").EnumerateArray().ToDictionary(i => i.GetProperty("version").GetProperty("component").GetString()!);
        Assert.All(served.Values, s => Assert.Equal("2 accept the night shift's", $"{s.GetProperty("version").GetProperty("version")} {s.GetProperty("version").GetProperty("source")} {s.GetProperty("version").GetProperty("message")}"));
        Assert.Equal("""{"valid-lifetime":700,""", served["dhcp"].GetProperty("dhcp").GetRawText().Replace(" ", "", StringComparison.Ordinal)[..22]);
        Assert.False(served["dhcp"].GetProperty("dhcp").TryGetProperty("lease-database", out _));
    }

    private static async Task WhatCannotBeAcceptedIsRefusedWithTheReason(RegisteredHost host)
    {
        Assert.Contains("there is nothing to accept", await Refused(host, new { }), StringComparison.Ordinal);
        await host.Lab.Run($"sed -i 's/identity: \"\"/identity: \"me\"/' {Config}/current/knot.conf");
        Assert.Contains("knot.conf was changed by hand", await Refused(host, new { }), StringComparison.Ordinal);
        await host.Lab.Run("cd /var/lib/managed-servers/dhcp/config/current && sed -i 's/\"lfc-interval\": 3600/\"lfc-interval\": 60/' kea-dhcp4.conf");
        Assert.Contains("lease-database: is set by the product", await Refused(host, new { component = "dhcp" }), StringComparison.Ordinal);
        await Done(host, await host.Post("/api/v2/pvservers/ns1/drift/reapply", new { }));
        Assert.Empty(await Found(host));
    }

    private static async Task AStopThroughTheProductIsNoDrift(RegisteredHost host)
    {
        await Done(host, await host.Post("/api/v2/pvservers/ns1/stop", new { components = new[] { "dns" } }));
        Assert.Empty(await Found(host));

        // What is applied to it meanwhile is served when it is started.
        await Done(host, await host.Post("/api/v2/pvservers/ns1/configuration/apply", new { setZones = new[] { new { name = "example.org", file = RegisteredHost.Zone.Replace(" 1 3600", " 5 3600", StringComparison.Ordinal).Replace("192.0.2.2", "192.0.2.55", StringComparison.Ordinal) } } }));
        Assert.Equal("exited", await host.Lab.Run("docker inspect -f '{{.State.Status}}' managed-servers-dns"));
        await host.Lab.Run("docker start managed-servers-dns >/dev/null");
        Assert.Equal(["dns running managed-servers-dns"], await Found(host));
        await Done(host, await host.Post("/api/v2/pvservers/ns1/start", new { }));
        Assert.Empty(await Found(host));
        Assert.Equal("192.0.2.55", (await host.Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString());
    }

    private static async Task AHostThatCannotBeReachedIsALine(RegisteredHost host)
    {
        await host.Lab.Run("lab-service ssh stop; pkill -f '^sshd: root'; true");
        var sweep = await host.Outcome((await host.Post("/api/v2/drift/check", new { })).GetProperty("runId").GetGuid());
        Assert.True(RegisteredHost.State(sweep) == "succeeded", RegisteredHost.Story(sweep));
        Assert.Contains("1 not looked at", RegisteredHost.Story(sweep), StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, (await host.Get("/api/v2/drift")).GetProperty("items")[0].GetProperty("problem").ValueKind);
    }

    private static object Both(RegisteredHost host)
    {
        var net = host.Lab.Address[..host.Lab.Address.LastIndexOf('.')];
        return new
        {
            zones = new[] { new { name = "example.org", file = RegisteredHost.Zone } },
            dhcp = new Dictionary<string, object> { ["valid-lifetime"] = 600, ["subnet4"] = new[] { new { subnet = $"{net}.0/24", pools = new[] { new { pool = $"{net}.200 - {net}.209" } } } } },
        };
    }

    /// <summary>Looks now.</summary>
    private static async Task<string[]> Found(RegisteredHost host)
    {
        await Done(host, await host.Post("/api/v2/pvservers/ns1/drift/check", new { }));
        var drift = await host.Get("/api/v2/pvservers/ns1/drift");
        Assert.True(drift.GetProperty("problem").ValueKind == JsonValueKind.Null, drift.ToString());
        return [.. drift.GetProperty("findings").EnumerateArray().Select(f => $"{f.GetProperty("component")} {f.GetProperty("kind")} {f.GetProperty("subject")}")];
    }

    private static async Task<string> Refused(RegisteredHost host, object request)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/drift/accept", request).Answer();
        Assert.Equal(HttpStatusCode.Conflict, status);
        return problem.GetProperty("detail").GetString()!;
    }

    private static async Task Done(RegisteredHost host, JsonElement started)
    {
        Assert.True(started.TryGetProperty("runId", out var id), started.ToString());
        var run = await host.Outcome(id.GetGuid());
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
    }
}
