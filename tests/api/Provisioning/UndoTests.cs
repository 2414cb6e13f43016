using System.Text.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>What is left on a host after an operator has decided about a run.</summary>
public sealed class UndoTests
{
    private static readonly object Well = new { name = "all well", command = "true" };
    private static readonly object Bad = new { name = "say no", command = "exit 9" };

    [Fact]
    public async Task Cancelled_with_undo_after_a_failed_post_command_the_host_is_as_it_was_and_can_be_installed_anew()
    {
        await using var host = await RegisteredHost.Start();
        var before = await host.Footprint();
        var paused = await host.InstallAndWait(RegisteredHost.OneZone(post: [Well, Bad]));
        Assert.True(RegisteredHost.State(paused) == "paused", RegisteredHost.Story(paused));
        await ItServesAndSaysThatItsRunIsPaused(host);

        await host.Post($"/api/v2/runs/{Id(paused)}/cancel", new { undo = true, reason = "not like this" });
        var undone = await Until(host, paused, "cancelled");
        Assert.Equal(before, await host.Footprint());
        Assert.Empty(await Components(host));
        Assert.Contains("was undone", RegisteredHost.Reason(undone), StringComparison.Ordinal);
        Assert.True(undone.GetProperty("undone").GetBoolean());

        var again = await host.InstallAndWait(RegisteredHost.OneZone(post: [Well]));
        Assert.True(RegisteredHost.State(again) == "succeeded", RegisteredHost.Story(again));
        Assert.Equal(["dns", "monitor"], await Components(host));
        Assert.Equal("1", await host.Lab.Run("pgrep -fc 'agent[.]py run' || true"));
        Assert.Equal("2", await host.Lab.Run("docker ps -aq | wc -l"));
        await NoCommandIsRemembered(host);
    }

    [Fact]
    public async Task Whatever_becomes_of_its_commands_a_run_leaves_no_record_of_them_and_the_next_run_names_it()
    {
        await using var host = await RegisteredHost.Start();
        var first = await host.Install(RegisteredHost.OneZone(pre: [Well, new { name = "wait", command = "touch /root/waits; sleep 600" }]));
        await ProductProcess.Until(async () => (await host.Lab.TryRun("test -e /root/waits")).ExitCode == 0, "the command runs");
        await host.Post($"/api/v2/runs/{first}/cancel", new { });
        await Until(host, await host.Run(first), "cancelled");
        await NoCommandIsRemembered(host);
        Assert.Equal("", await host.Lab.Run("pgrep -fx 'sleep 600' || true"));

        var paused = await host.InstallAndWait(RegisteredHost.OneZone(post: [Well, Bad, Well]));
        Assert.True(RegisteredHost.State(paused) == "paused", RegisteredHost.Story(paused));
        var next = await host.Run(await host.Install(RegisteredHost.OneZone()));
        await ProductProcess.Until(async () => RegisteredHost.Reason(await host.Run(next.GetProperty("id").GetGuid())).Contains(Id(paused), StringComparison.Ordinal), "the next run names the one in front");

        await host.Post($"/api/v2/runs/{Id(paused)}/skip", new { reason = "done by hand" });
        await Until(host, paused, "succeeded");
        await NoCommandIsRemembered(host);
        await Until(host, next, "succeeded");
    }

    private static async Task ItServesAndSaysThatItsRunIsPaused(RegisteredHost host)
    {
        var server = await host.Get("/api/v2/pvservers/ns1");
        Assert.Equal("running", server.GetProperty("state").GetString());
        Assert.Contains("exit code 9", server.GetProperty("pausedRun").GetString(), StringComparison.Ordinal);
        Assert.Equal(["dns", "monitor"], await Components(host));
        Assert.Equal("192.0.2.2", await host.Www());
    }

    private static string Id(JsonElement run) => run.GetProperty("id").GetString()!;

    private static async Task<JsonElement> Until(RegisteredHost host, JsonElement run, string state)
    {
        await ProductProcess.Until(async () => RegisteredHost.State(run = await host.Run(run.GetProperty("id").GetGuid())) == state, $"the run is {state}");
        return run;
    }

    private static async Task<IEnumerable<string?>> Components(RegisteredHost host) =>
        (await host.Get("/api/v2/pvservers/ns1")).GetProperty("components").EnumerateArray().Select(c => c.GetProperty("name").GetString());

    private static async Task NoCommandIsRemembered(RegisteredHost host) => Assert.Equal("", await host.Lab.Run("ls -A /var/lib/managed-servers/commands 2>/dev/null || true"));
}
