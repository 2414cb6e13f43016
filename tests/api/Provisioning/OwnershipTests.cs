using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>One host is one server, of one product.</summary>
public sealed class OwnershipTests
{
    [Fact]
    public async Task The_same_host_is_not_registered_twice_neither_by_its_address_nor_by_its_key()
    {
        await using var host = await RegisteredHost.Start();
        var fingerprint = (await host.Get("/api/v2/pvservers/ns1")).GetProperty("hostKey").GetProperty("fingerprint").GetString();
        await host.Lab.Run("/usr/sbin/sshd -p 2222 -o PidFile=/run/another-sshd.pid");

        await Refused(host, new { name = "ns2", address = host.Lab.Address, password = host.Lab.RootPassword, hostKey = fingerprint }, "address", "'ns1'");
        await Refused(host, new { name = "ns2", address = host.Lab.Address, sshPort = 2222, password = host.Lab.RootPassword, hostKey = fingerprint }, "hostKey", "'ns1'", "ssh-keygen -A");
        await Refused(host, new { name = "NS1", address = host.Lab.Address, password = host.Lab.RootPassword, hostKey = fingerprint }, "name", "called 'ns1'");
        await Refused(host, new { name = "ns2", installation = "manual", address = host.Lab.Address }, "address", "'ns1'");
        Assert.Equal(1, (await host.Get("/api/v2/pvservers")).GetProperty("items").GetArrayLength());

        await host.Post("/api/v2/pvservers", new { name = "by hand", installation = "manual" });
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PatchAsJsonAsync("/api/v2/pvservers/by%20hand", new { address = host.Lab.Address }).Answer();
        Assert.True(status == HttpStatusCode.BadRequest && problem.ToString().Contains("is that of the server 'ns1' already", StringComparison.Ordinal), problem.ToString());
        (await admin.DeleteAsync("/api/v2/pvservers/ns1?force=true")).EnsureSuccessStatusCode();
        await admin.PatchAsJsonAsync("/api/v2/pvservers/by%20hand", new { address = host.Lab.Address }).Json();
        await Refused(host, new { name = "ns2", address = host.Lab.Address, password = host.Lab.RootPassword, hostKey = fingerprint }, "address", "'by hand'");
    }

    [Fact]
    public async Task A_host_that_another_server_of_this_product_has_is_told_by_that_servers_name()
    {
        await using var host = await RegisteredHost.Start();
        var other = (await host.Post("/api/v2/pvservers", new { name = "by hand", installation = "manual" })).GetProperty("id").GetString();
        await host.Lab.Run($$"""mkdir -p /var/lib/managed-servers/agent && echo '{"serverId":"{{other}}","api":"https://192.0.2.77:8443"}' > /var/lib/managed-servers/agent/agent.json""");

        var owner = (await host.Post("/api/v2/pvservers/ns1/test", new { })).GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "owner");

        Assert.Equal("managed as the server 'by hand' of this product", owner.GetProperty("found").GetString());
        Assert.DoesNotContain("rm -rf", owner.GetProperty("fix").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_of_another_server_and_an_address_that_it_does_not_have_are_found_before_anything_is_changed()
    {
        await using var host = await RegisteredHost.Start();
        await host.Lab.Run(
            """
            mkdir -p /var/lib/managed-servers/agent
            echo '{"serverId":"0195f2d0-0000-7000-8000-000000000001","api":"https://192.0.2.77:8443"}' > /var/lib/managed-servers/agent/agent.json
            """);
        var before = await host.Footprint();

        var test = await host.Post("/api/v2/pvservers/ns1/test", new { });
        Assert.False(test.GetProperty("ok").GetBoolean());
        var owner = test.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "owner");
        Assert.Equal("managed as server 0195f2d0-0000-7000-8000-000000000001 of the product at https://192.0.2.77:8443", owner.GetProperty("found").GetString());
        var failed = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.Contains("0195f2d0-0000-7000-8000-000000000001", RegisteredHost.Step(failed, "preflight").GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, await host.Footprint());

        // As the check says; the agent is not there, so its uninstall fails, and the rest goes on.
        await host.Lab.TryRun(owner.GetProperty("fix").GetString()!.Split("from ")[1].Split(": ", 2)[1]);
        Assert.True((await host.Post("/api/v2/pvservers/ns1/test", new { })).GetProperty("ok").GetBoolean());

        failed = await host.InstallAndWait(new { zones = new[] { new { name = "example.org", file = RegisteredHost.Zone } }, listen = new[] { new { address = "192.0.2.99" } } });
        var error = RegisteredHost.Step(failed, "preflight").GetProperty("error").GetString();
        Assert.Contains("needed 192.0.2.99 on the host", error, StringComparison.Ordinal);
        Assert.Contains(host.Lab.Address, error, StringComparison.Ordinal);
    }

    private static async Task Refused(RegisteredHost host, object request, string field, params string[] said)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers", request).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        var rules = problem.GetProperty("errors").TryGetProperty(field, out var found) ? found : default;
        Assert.True(rules.ValueKind == JsonValueKind.Array, problem.ToString());
        Assert.All(said, words => Assert.Contains(words, rules[0].GetString(), StringComparison.Ordinal));
    }
}
