using System.Net;
using System.Net.Http.Json;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>Installs that cannot work: one clear reason, and the host as it was.</summary>
public sealed class RefusedInstallTests
{
    [Fact]
    public async Task A_healthy_host_is_left_as_it_was_by_every_install_that_fails()
    {
        await using var host = await RegisteredHost.Start();
        var before = await host.Footprint();

        await Refused(host, before, RegisteredHost.OneZone(pre: [new { name = "say no", command = "echo this host is frozen; exit 7" }]), "say no", "exit code 7");
        Assert.DoesNotContain("managed-servers", (await host.Lab.Run("ls /var/lib")).Split('\n'));

        await Refused(host, before, RegisteredHost.OneZone(RegisteredHost.Zone + "\nwww A not-an-address\n"), "example.org", "zones[0].file", "line 8");

        await AnIncludedFileIsRefusedWithItsLine(host);

        await host.Lab.Run(
            """
            python3 -c 'import socket,time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 53)); open("/run/taken", "w"); time.sleep(600)' >/dev/null 2>&1 &
            echo $! > /run/taken.pid
            """);
        await ProductProcess.Until(async () => (await host.Lab.TryRun("test -e /run/taken")).ExitCode == 0, "another program holds port 53");
        await Refused(host, before, RegisteredHost.OneZone(), "port 53", "python3");
        await host.Lab.Run("kill $(cat /run/taken.pid)");

        await host.Lab.StopDocker();
        await Refused(host, before: null, RegisteredHost.OneZone(), "docker", "Start it");
        await host.Lab.StartDocker();
        Assert.Equal(before, await host.Footprint());
    }

    [Fact]
    public async Task A_changed_host_key_stops_every_contact_with_both_fingerprints_shown()
    {
        await using var host = await RegisteredHost.Start();
        var old = (await host.Get("/api/v2/pvservers/ns1")).GetProperty("hostKey").GetProperty("fingerprint").GetString()!;
        await host.Lab.Run("rm /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null; kill -HUP $(cat /run/sshd.pid)");
        string? shown = null;
        await ProductProcess.Until(async () =>
        {
            var answer = await host.Post("/api/v2/pvservers/probe", new { address = host.Lab.Address });
            shown = answer.TryGetProperty("fingerprint", out var fingerprint) ? fingerprint.GetString() : null;
            return shown is not null && shown != old;
        }, "the host shows its new key");

        var test = await host.Post("/api/v2/pvservers/ns1/test", new { });
        Assert.Equal("host-key-changed", test.GetProperty("type").GetString());
        Assert.Contains("accept the new key: msctl servers host-key ns1 ", test.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // The connection from before is still there, and used no more.
        var run = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(run) == "failed", RegisteredHost.Story(run));
        Assert.Contains(old, run.ToString(), StringComparison.Ordinal);
        Assert.Contains(shown!, run.ToString(), StringComparison.Ordinal);
        Assert.Contains("accept the new key: msctl servers host-key ns1 ", RegisteredHost.Reason(run), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unaccepted_key_add_nothing()
    {
        await using var host = await RegisteredHost.Start();
        var fingerprint = (await host.Get("/api/v2/pvservers/ns1")).GetProperty("hostKey").GetProperty("fingerprint").GetString();
        using var admin = host.Product.Admin();
        (await admin.DeleteAsync("/api/v2/pvservers/ns1")).EnsureSuccessStatusCode();

        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers", new { name = "ns1", address = host.Lab.Address, password = "wrong-password", hostKey = fingerprint }).Answer();
        Assert.Equal((HttpStatusCode.BadRequest, "authentication-failed"), (status, problem.GetProperty("type").GetString()));
        Assert.DoesNotContain("wrong-password", problem.ToString(), StringComparison.Ordinal);

        (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers", new { name = "ns1", address = host.Lab.Address, password = host.Lab.RootPassword }).Answer();
        Assert.Equal((HttpStatusCode.Conflict, "host-key-unknown", fingerprint), (status, problem.GetProperty("type").GetString(), problem.GetProperty("fingerprint").GetString()));
        Assert.Equal(0, (await host.Get("/api/v2/pvservers")).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData(false, true, "docker")]
    [InlineData(true, false, "python")]
    public async Task A_host_without_docker_or_python_is_told_so_with_the_command_that_installs_it(bool docker, bool python, string check)
    {
        await using var host = await RegisteredHost.Start(new LabOptions { Docker = docker, Python = python });
        var run = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(run) == "failed", RegisteredHost.Story(run));
        Assert.Contains($"apt-get install {check}", RegisteredHost.Step(run, "preflight").GetProperty("error").GetString(), StringComparison.Ordinal);
        var test = await host.Post("/api/v2/pvservers/ns1/test", new { });
        Assert.False(test.GetProperty("ok").GetBoolean());
        Assert.False(test.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == check).GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task A_full_disk_is_found_before_anything_is_changed()
    {
        await using var host = await RegisteredHost.Start(new LabOptions { SmallFolders = new Dictionary<string, string> { ["/var/lib/managed-servers"] = "8m" } });
        var before = await host.Footprint();
        await Refused(host, before, RegisteredHost.OneZone(), "disk /var/lib/managed-servers", "Make room");
    }

    private static async Task AnIncludedFileIsRefusedWithItsLine(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        admin.DefaultRequestHeaders.Add("Idempotency-Key", new string('k', 200));
        foreach (var including in new[] { "\n $include /etc/shadow\n", "\u2028$INCLUDE\t/etc/shadow" })
        {
            var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install", RegisteredHost.OneZone(RegisteredHost.Zone + including)).Answer();
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains("line 8 includes another file", problem.GetProperty("errors").GetProperty("zones[0].file")[0].GetString(), StringComparison.Ordinal);
        }
    }

    private static async Task Refused(RegisteredHost host, string? before, object request, params string[] said)
    {
        var run = await host.InstallAndWait(request);
        Assert.True(RegisteredHost.State(run) == "failed", RegisteredHost.Story(run));
        Assert.All(said, words => Assert.Contains(words, RegisteredHost.Story(run), StringComparison.Ordinal));
        if (before is not null)
        {
            Assert.Equal(before, await host.Footprint());
        }
    }
}
