using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>Changing how the product reaches a host.</summary>
public sealed class EditTests
{
    [Fact]
    public async Task A_server_is_renamed_its_password_rotated_and_its_new_key_accepted_each_proven_first_and_remembered()
    {
        await using var host = await RegisteredHost.Start();
        Assert.Equal("ns1.example.org", (await Edit(host, "ns1", new { name = "ns1.example.org" })).GetProperty("name").GetString());
        await APlanTellsWhatWouldBeProvenAndProvesNothing(host);
        await AWrongPasswordLeavesTheRightOne(host);

        await AKeyThatTheHostDoesNotShowIsNotTaken(host);

        await host.Lab.Run("echo root:another-password | chpasswd");
        // The product may still hold a connection from before; the test is about what is stored.
        Assert.Equal("authentication-failed", (await host.Post("/api/v2/pvservers/ns1.example.org/test", new { })).GetProperty("type").GetString());
        await Edit(host, "ns1.example.org", new { password = "another-password", reason = "quarterly rotation" });
        Assert.True(await Reaches(host));

        await ANewKeyIsUsedOnlyWhenAccepted(host);

        var history = (await host.Get("/api/v2/pvservers/ns1.example.org/history")).EnumerateArray().ToList();
        Assert.Equal(3, history.Count);
        Assert.StartsWith("changed host key from ssh-ed25519 SHA256:", history[0].GetProperty("what").GetString(), StringComparison.Ordinal);
        Assert.Equal(("admin", "changed credential, now a password", "quarterly rotation"), Event(history[1]));
        Assert.Equal(("admin", "changed name from 'ns1' to 'ns1.example.org'", null), Event(history[2]));
        Assert.DoesNotContain("another-password", await host.Product.DumpDatabase(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_by_field_and_changes_nothing()
    {
        await using var host = await RegisteredHost.Start();
        var before = (await host.Get("/api/v2/pvservers/ns1")).ToString();
        await Refused(host, new { name = "two\nlines" }, "name", "must be one line");
        await Refused(host, new { address = "not an address" }, "address", "may contain only");
        await Refused(host, new { sshPort = 0 }, "sshPort", "1 to 65535");
        await Refused(host, new { password = "abcd", privateKey = "b" }, "password", "cannot be combined");
        await Refused(host, new { passphrase = "alone" }, "password", "is needed");
        await Refused(host, new { reason = new string('x', 501) }, "reason", "at most 500");
        Assert.Equal(before, (await host.Get("/api/v2/pvservers/ns1")).ToString());
        Assert.Equal(0, (await host.Get("/api/v2/pvservers/ns1/history")).GetArrayLength());
    }

    private static async Task APlanTellsWhatWouldBeProvenAndProvesNothing(RegisteredHost host)
    {
        var before = (await host.Get("/api/v2/pvservers/ns1.example.org")).ToString();
        var plan = await Edit(host, "ns1.example.org?plan=true", new { password = "never-sent", sshPort = 22, name = "other" });

        Assert.Equal([("name", "'other'"), ("credential", "a password")], plan.GetProperty("changes").EnumerateArray().Select(c => (c.GetProperty("thing").GetString(), c.GetProperty("to").GetString())));
        Assert.Contains($"logs in on other ({host.Lab.Address}:22) as root with the password", plan.GetProperty("proof").GetString(), StringComparison.Ordinal);
        Assert.Equal("ns1.example.org", plan.GetProperty("servers").EnumerateArray().Single().GetProperty("server").GetString());
        Assert.DoesNotContain("never-sent", plan.ToString(), StringComparison.Ordinal);
        var login = (await Edit(host, "ns1.example.org?plan=true", new { login = "docker" })).GetProperty("changes").EnumerateArray().Single();
        Assert.Equal(("login", "root, root itself", "root, in the group docker, never root"), (login.GetProperty("thing").GetString(), login.GetProperty("from").GetString(), login.GetProperty("to").GetString()));
        Assert.Equal(before, (await host.Get("/api/v2/pvservers/ns1.example.org")).ToString());
    }

    private static async Task AWrongPasswordLeavesTheRightOne(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1.example.org", new { password = "wrong" }).Answer();
        Assert.Equal((HttpStatusCode.BadRequest, "authentication-failed"), (status, problem.GetProperty("type").GetString()));
        Assert.True(await Reaches(host));
    }

    private static async Task AKeyThatTheHostDoesNotShowIsNotTaken(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1.example.org", new { hostKey = "SHA256:x" }).Answer();
        Assert.True(status == HttpStatusCode.BadRequest, problem.ToString());
        Assert.Contains("must be a fingerprint", problem.GetProperty("errors").GetProperty("hostKey")[0].GetString(), StringComparison.Ordinal);

        (_, problem) = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1.example.org", new { hostKey = "SHA256:" + new string('A', 43) }).Answer();
        Assert.Equal("host-key-changed", problem.GetProperty("type").GetString());
    }

    private static async Task ANewKeyIsUsedOnlyWhenAccepted(RegisteredHost host)
    {
        await host.Lab.Run("rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; lab-service ssh stop; lab-service ssh start");
        string? shown = null;
        await ProductProcess.Until(async () =>
        {
            shown = (await host.Post("/api/v2/pvservers/probe", new { address = host.Lab.Address })).TryGetProperty("fingerprint", out var key) ? key.GetString() : null;
            return shown is not null;
        }, "the host answers with its new key");
        using var admin = host.Product.Admin();
        var (_, problem) = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1.example.org", new { password = "another-password" }).Answer();
        Assert.Equal("host-key-unknown", problem.GetProperty("type").GetString());
        Assert.Contains(shown!, problem.ToString(), StringComparison.Ordinal);

        var asked = (await host.Post("/api/v2/pvservers/ns1.example.org/host-key?plan=true", new { })).GetProperty("changes").EnumerateArray().Single();
        Assert.Equal(("host key", $"ssh-ed25519 {shown}"), (asked.GetProperty("thing").GetString(), asked.GetProperty("to").GetString()));
        Assert.Equal(0, (await host.Get("/api/v2/runs?server=ns1.example.org")).GetProperty("items").GetArrayLength());
        Assert.Equal(shown, (await Edit(host, "ns1.example.org", new { hostKey = shown })).GetProperty("hostKey").GetProperty("fingerprint").GetString());
        Assert.True(await Reaches(host));
    }

    private static async Task<bool> Reaches(RegisteredHost host) => (await host.Post("/api/v2/pvservers/ns1.example.org/test", new { })).GetProperty("ok").GetBoolean();

    private static async Task<JsonElement> Edit(RegisteredHost host, string server, object change)
    {
        using var admin = host.Product.Admin();
        var (status, body) = await admin.PatchAsJsonAsync($"/api/v2/pvservers/{server}", change).Answer();
        Assert.True(status == HttpStatusCode.OK, body.ToString());
        return body;
    }

    private static async Task Refused(RegisteredHost host, object change, string field, string words)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1", change).Answer();
        Assert.True(status == HttpStatusCode.BadRequest, problem.ToString());
        Assert.Contains(words, problem.GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.Ordinal);
    }

    private static (string?, string?, string?) Event(JsonElement entry) => (entry.GetProperty("who").GetString(), entry.GetProperty("what").GetString(), entry.GetProperty("why").GetString());
}
