using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What the product logs in with, and whom it believes to be the host.</summary>
public sealed class CredentialTests(CredentialTests.OneHost fixture) : IClassFixture<CredentialTests.OneHost>
{
    private const string Foreign = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEPHDJ0RBVpTVqrKqZ0jxyV9u2b9sDUj2TDsKrGAxHYx somebody@else";
    private readonly RegisteredHost host = fixture.Host;

    [Fact]
    public async Task A_credential_is_rotated_to_keys_and_passwords_proven_and_only_the_products_own_keys_are_taken_away()
    {
        await host.Lab.Run($"mkdir -p -m 700 /root/.ssh && printf '# by hand\\n{Foreign}' > /root/.ssh/authorized_keys && chmod 640 /root/.ssh/authorized_keys");
        await WhatTheHostRefusesIsTakenBack();

        var plan = await host.Post("/api/v2/pvservers/ns1/rotate-credential?plan=true", new { });
        Assert.Equal("Let a new key of the product's own in on the host", RegisteredHost.Step(plan, "install-key").GetProperty("title").GetString());
        Assert.Equal("add", RegisteredHost.Step(plan, "install-key").GetProperty("preview").GetProperty("changes")[0].GetProperty("kind").GetString());
        Assert.DoesNotContain("SHA256:", plan.ToString(), StringComparison.Ordinal);

        var first = await Rotate(new { reason = "quarterly" });
        Assert.True(RegisteredHost.State(first) == "succeeded", RegisteredHost.Story(first));
        Assert.Equal("key", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("authentication").GetString());
        Assert.Equal("640 root", await host.Lab.Run("stat -c '%a %U' /root/.ssh/authorized_keys"));
        var keys = await Keys();
        Assert.Equal(["# by hand", Foreign], keys[..2]);
        Assert.EndsWith($" managed-servers server={(await host.Get("/api/v2/pvservers/ns1")).GetProperty("id").GetString()} run={first.GetProperty("id").GetString()}", keys[2], StringComparison.Ordinal);
        Assert.Equal(3, keys.Length);
        using var admin = host.Product.Admin();
        var removal = (await admin.DeleteAsync("/api/v2/pvservers/ns1?plan=true").Json()).GetProperty("notes").ToString();
        Assert.Contains($"in ~/.ssh/authorized_keys of user root, the line with '{keys[2].Split(' ').Single(w => w.StartsWith("server=", StringComparison.Ordinal)).Insert(0, "managed-servers ")}'", removal, StringComparison.Ordinal);

        var second = await Rotate(new { });
        Assert.True(RegisteredHost.State(second) == "succeeded", RegisteredHost.Story(second));
        var now = await Keys();
        Assert.Equal((3, Foreign), (now.Length, now[1]));
        Assert.NotEqual(keys[2], now[2]);

        var password = await Rotate(new { password = "a-new-p4ssword" });
        Assert.True(RegisteredHost.State(password) == "succeeded", RegisteredHost.Story(password));
        Assert.Equal("password", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("authentication").GetString());
        Assert.Equal(["# by hand", Foreign], await Keys());
        Assert.DoesNotContain("authorized_keys", (await admin.DeleteAsync("/api/v2/pvservers/ns1?plan=true").Json()).ToString(), StringComparison.Ordinal);

        var given = await Rotate(new { privateKey = await LockedKey(), passphrase = "open sesame" });
        Assert.True(RegisteredHost.State(given) == "succeeded", RegisteredHost.Story(given));
        Assert.True(await Reaches());

        await AKilledProductGoesOnWhereItWas();

        await NoSecretIsKept("a-new-p4ssword", "open sesame", "PRIVATE KEY");
        var events = (await host.Get("/api/v2/pvservers/ns1/history")).EnumerateArray().Where(e => e.GetProperty("what").GetString()!.StartsWith("rotated the credential", StringComparison.Ordinal)).ToList();
        Assert.Equal(5, events.Count);
        Assert.All(events.Where(e => !e.GetProperty("what").GetString()!.Contains("password", StringComparison.Ordinal)), e => Assert.Contains(" SHA256:", e.GetProperty("what").GetString(), StringComparison.Ordinal));
        Assert.Equal(("admin", "quarterly"), (events[4].GetProperty("who").GetString(), events[4].GetProperty("why").GetString()));
    }

    [Fact]
    public async Task Another_host_key_is_accepted_by_an_approval_with_who_and_why_and_by_nothing_less()
    {
        var before = await Pinned();
        Assert.Equal("host-key-unchanged", (await host.Post("/api/v2/pvservers/ns1/host-key", new { })).GetProperty("type").GetString());
        await host.Lab.Run("rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; pkill -HUP -o sshd; pkill -9 -f '^sshd: root' || true");
        await ProductProcess.Until(async () => (await host.Post("/api/v2/pvservers/ns1/test", new { })).TryGetProperty("type", out var type) && type.GetString() == "host-key-changed", "the changed key is met");

        var asked = await host.Post("/api/v2/pvservers/ns1/host-key", new { });
        var shown = asked.GetProperty("shown").GetProperty("fingerprint").GetString()!;
        var id = asked.GetProperty("runId").GetGuid();
        var question = await Waiting(id);
        Assert.Contains(before, question, StringComparison.Ordinal);
        Assert.Contains(shown, question, StringComparison.Ordinal);
        await host.Post($"/api/v2/runs/{id}/steps/accept/reject", new { reason = "not announced" });
        var rejected = await host.Outcome(id);
        Assert.True(RegisteredHost.State(rejected) == "failed", RegisteredHost.Story(rejected));
        Assert.Equal(before, await Pinned());

        id = (await host.Post("/api/v2/pvservers/ns1/host-key", new { reason = "reinstalled" })).GetProperty("runId").GetGuid();
        await Waiting(id);
        await host.Post($"/api/v2/runs/{id}/steps/accept/approve", new { reason = "compared on the console" });
        var approved = await host.Outcome(id);
        Assert.True(RegisteredHost.State(approved) == "succeeded", RegisteredHost.Story(approved));
        Assert.Equal(shown, await Pinned());
        Assert.True(await Reaches());
        var entry = (await host.Get("/api/v2/pvservers/ns1/history"))[0];
        Assert.Equal(("admin", "compared on the console"), (entry.GetProperty("who").GetString(), entry.GetProperty("why").GetString()));
        Assert.StartsWith("changed host key from ssh-ed25519", entry.GetProperty("what").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_a_credential_is_refused_by_field_and_starts_nothing()
    {
        using var admin = host.Product.Admin();
        foreach (var (request, field) in new (object, string)[] { (new { password = "a", privateKey = "b" }, "password"), (new { privateKey = "no key" }, "privateKey"), (new { password = "two\nlines" }, "password"), (new { reason = new string('x', 501) }, "reason") })
        {
            var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/rotate-credential", request).Answer();
            Assert.True(status == HttpStatusCode.BadRequest && problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
        }
    }

    private async Task WhatTheHostRefusesIsTakenBack()
    {
        var before = await Keys();
        await host.Lab.Run("echo 'PubkeyAuthentication no' > /etc/ssh/sshd_config.d/none.conf && pkill -HUP -o sshd");
        var run = await Rotate(new { });
        await host.Lab.Run("rm /etc/ssh/sshd_config.d/none.conf && pkill -HUP -o sshd");
        Assert.True(RegisteredHost.State(run) == "failed", RegisteredHost.Story(run));
        Assert.Contains("refused the private key of user root", RegisteredHost.Reason(run), StringComparison.Ordinal);
        Assert.Equal(before, await Keys());
        Assert.True(await Reaches());
    }

    private async Task AKilledProductGoesOnWhereItWas()
    {
        var id = (await host.Post("/api/v2/pvservers/ns1/rotate-credential", new { })).GetProperty("runId").GetGuid();
        await ProductProcess.Until(async () => RegisteredHost.Step(await host.Run(id), "install-key").GetProperty("state").GetString() == "succeeded", "the new key is on the host");
        await host.Product.Kill();
        await host.Product.Launch();
        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Single(await Keys(), k => k.Contains(" managed-servers server=", StringComparison.Ordinal));
        Assert.True(await Reaches());
    }

    private async Task<JsonElement> Rotate(object request)
    {
        var started = await host.Post("/api/v2/pvservers/ns1/rotate-credential", request);
        return started.TryGetProperty("runId", out var id) ? await host.Outcome(id.GetGuid()) : throw new InvalidOperationException(started.ToString());
    }

    private async Task<string[]> Keys() => (await host.Lab.Run("cat /root/.ssh/authorized_keys")).Split('\n');

    private async Task<bool> Reaches() => (await host.Post("/api/v2/pvservers/ns1/test", new { })).TryGetProperty("ok", out var ok) && ok.GetBoolean();

    private async Task<string> Pinned() => (await host.Get("/api/v2/pvservers/ns1")).GetProperty("hostKey").GetProperty("fingerprint").GetString()!;

    /// <summary>The question, once the run asks it.</summary>
    private async Task<string> Waiting(Guid run)
    {
        JsonElement step = default;
        await ProductProcess.Until(async () => (step = RegisteredHost.Step(await host.Run(run), "accept")).GetProperty("state").GetString() == "waiting", "the run asks");
        return step.GetProperty("title").GetString()!;
    }

    private async Task NoSecretIsKept(params string[] secrets)
    {
        var dump = await host.Product.DumpDatabase();
        Assert.All(secrets, s => Assert.DoesNotContain(s, dump, StringComparison.Ordinal));
    }

    private static async Task<string> LockedKey()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using var process = Process.Start("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "open sesame", "-f", $"{folder}/key"]);
        await process.WaitForExitAsync();
        var key = await File.ReadAllTextAsync($"{folder}/key");
        Directory.Delete(folder, true);
        return key;
    }

    public sealed class OneHost : IAsyncLifetime
    {
        public RegisteredHost Host { get; private set; } = null!;

        public async Task InitializeAsync() => Host = await RegisteredHost.Start();

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
