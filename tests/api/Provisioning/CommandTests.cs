using System.Net;
using System.Net.Http.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>Operators' own commands when the way to the host, their record or the product is lost, and what they print.</summary>
public sealed class CommandTests
{
    [Fact]
    public async Task A_command_runs_once_whatever_is_lost_and_nobody_sees_half_a_secret()
    {
        await using var host = await RegisteredHost.Start();
        await host.Lab.Run($"printf %s {host.Lab.RootPassword} > /root/password");
        await ALostSessionIsOnlyAWaitAndAKnownExitCodeMayBeRetried(host);
        await ALostRecordIsAsked(host);
        await APasswordIsKnownRightAfterARestart(host);
    }

    private static async Task ALostSessionIsOnlyAWaitAndAKnownExitCodeMayBeRetried(RegisteredHost host)
    {
        var lost = new { name = "lose", command = "echo start >> /root/lost; while [ ! -e /root/go ]; do sleep 0.1; done; echo end >> /root/lost" };
        var print = new { name = "print", command = "head -c 4090 /dev/zero | tr '\\0' x; cat /root/password; echo ' and more'" };
        var count = new { name = "count", command = "echo x >> /root/counted; test -e /root/fixed" };
        var id = await host.Install(RegisteredHost.OneZone(pre: [lost, print, count]));
        await ProductProcess.Until(async () => (await host.Lab.TryRun("test -e /root/lost")).ExitCode == 0, "the command runs");
        await host.Lab.Run("lab-service ssh stop; pkill -9 -f '^sshd: '; true");
        await ProductProcess.Until(async () => (await Log(host, id)).Contains("goes on there by itself", StringComparison.Ordinal), "the product notices");
        await host.Lab.Run("touch /root/go; lab-service ssh start");

        var failed = await host.Outcome(id);
        Assert.True(RegisteredHost.State(failed) == "failed", RegisteredHost.Story(failed));
        Assert.Contains("'count'", RegisteredHost.Reason(failed), StringComparison.Ordinal);
        Assert.Equal("start\nend", await host.Lab.Run("cat /root/lost"));
        var printed = (await Log(host, id)).Replace("\n", "", StringComparison.Ordinal);
        Assert.Contains("x[secret] and more", printed, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Lab.RootPassword[..8], printed, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Lab.RootPassword[^8..], printed, StringComparison.Ordinal);

        await host.Lab.Run("touch /root/fixed");
        await host.Post($"/api/v2/runs/{id}/retry", new { reason = "fixed by hand" });
        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal(("start\nend", "x\nx"), (await host.Lab.Run("cat /root/lost"), await host.Lab.Run("cat /root/counted")));
        Assert.Equal("", await host.Lab.Run("ls /var/lib/managed-servers/commands 2>/dev/null || true"));
    }

    private static async Task ALostRecordIsAsked(RegisteredHost host)
    {
        var command = new { name = "sweep", command = "echo x >> /root/swept; rm -rf /var/lib/managed-servers/commands", timeoutSeconds = 5 };
        var id = await host.Install(RegisteredHost.OneZone(pre: [command]));

        var paused = await host.Outcome(id);
        Assert.True(RegisteredHost.State(paused) == "paused", RegisteredHost.Story(paused));
        Assert.Contains("Nobody knows how far it came", RegisteredHost.Reason(paused), StringComparison.Ordinal);
        Assert.Equal("x", await host.Lab.Run("cat /root/swept"));
        await host.Post($"/api/v2/runs/{id}/cancel", new { reason = "enough" });
        Assert.Equal("cancelled", RegisteredHost.State(await host.Outcome(id)));
    }

    private static async Task APasswordIsKnownRightAfterARestart(RegisteredHost host)
    {
        await host.Product.Kill();
        await host.Product.Launch();
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/install", RegisteredHost.OneZone(pre: [new { name = "say it", command = $"echo {host.Lab.RootPassword}" }])).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("holds a password, a key or a token", problem.GetProperty("errors").GetProperty("preCommands[0].command")[0].GetString(), StringComparison.Ordinal);
    }

    private static async Task<string> Log(RegisteredHost host, Guid id) =>
        string.Join('\n', (await host.Get($"/api/v2/runs/{id}/log?limit=1000")).GetProperty("items").EnumerateArray().Select(l => l.GetProperty("message").GetString()));
}
