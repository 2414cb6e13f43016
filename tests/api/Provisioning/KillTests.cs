using System.Text.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>kill -9 of the product, and of the host's Docker, in the middle of an install.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task Killed_at_every_step_the_install_still_finishes_by_itself_with_one_of_each()
    {
        await using var host = await RegisteredHost.Start();
        var id = await host.Install(RegisteredHost.OneZone());
        var steps = (await host.Run(id)).GetProperty("steps").GetArrayLength();
        for (var seq = 1; seq <= steps; seq++)
        {
            var reached = seq;
            await ProductProcess.Until(async () => Reached(await host.Run(id), reached), $"step {seq} begins");
            await host.Product.Kill();
            await host.Product.Launch();
        }

        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal("1", await host.Lab.Run("docker ps -aq --filter label=managed-servers.component=dns | wc -l"));
        Assert.Equal("1", await host.Lab.Run("docker ps -aq --filter label=managed-servers.component=monitor | wc -l"));
        Assert.Equal("2", await host.Lab.Run("docker ps -aq | wc -l"));
        Assert.Equal("1", await host.Lab.Run("pgrep -fc 'agent[.]py run' || true"));
        Assert.Equal("2", await host.Lab.Run("docker images -q | wc -l"));
        Assert.All(run.GetProperty("steps").EnumerateArray(), s => Assert.Contains(s.GetProperty("state").GetString(), new[] { "succeeded", "skipped" }));
    }

    [Fact]
    public async Task Docker_restarted_on_the_host_in_the_middle_only_delays_the_install()
    {
        await using var host = await RegisteredHost.Start();
        var id = await host.Install(RegisteredHost.OneZone());
        await ProductProcess.Until(async () => Reached(await host.Run(id), Seq(await host.Run(id), "upload-images")), "the upload begins");
        await host.Lab.StopDocker();
        await host.Lab.StartDocker();
        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
    }

    [Fact]
    public async Task Killed_inside_an_operators_own_command_the_run_pauses_and_says_so_unless_it_is_repeatable()
    {
        await using var host = await RegisteredHost.Start();
        var once = new { name = "count once", command = "echo x >> /root/once; while [ ! -e /root/go ]; do sleep 0.1; done" };
        var again = new { name = "count again", command = "echo x >> /root/again; while [ ! -e /root/go-again ]; do sleep 0.1; done", repeatable = true };
        var id = await host.Install(RegisteredHost.OneZone(pre: [once, again]));
        await KillOnceThere(host, "/root/once");
        await host.Lab.Run("touch /root/go");

        var paused = await host.Outcome(id);
        Assert.Equal("paused", RegisteredHost.State(paused));
        Assert.Contains("count once", RegisteredHost.Reason(paused), StringComparison.Ordinal);
        await host.Post($"/api/v2/runs/{id}/retry", new { reason = "looked at the host, all well" });
        await KillOnceThere(host, "/root/again");
        await host.Lab.Run("touch /root/go-again");

        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
        Assert.Equal("1", await host.Lab.Run("wc -l < /root/once"));
        Assert.Contains(run.GetProperty("events").EnumerateArray(), e => e.GetProperty("who").GetString() == "admin" && e.GetProperty("why").ToString().Contains("looked at the host, all well", StringComparison.Ordinal));
    }

    private static async Task KillOnceThere(RegisteredHost host, string file)
    {
        await ProductProcess.Until(async () => (await host.Lab.TryRun($"test -e {file}")).ExitCode == 0, $"the command has made {file}");
        await host.Product.Kill();
        await host.Product.Launch();
    }

    private static int Seq(JsonElement run, string step) => RegisteredHost.Step(run, step).GetProperty("seq").GetInt32();

    private static bool Reached(JsonElement run, int seq) => run.GetProperty("steps")[seq - 1].GetProperty("state").GetString() != "pending";
}
