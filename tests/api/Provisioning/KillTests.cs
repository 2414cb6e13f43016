namespace ManagedServers.Tests.Provisioning;

/// <summary>kill -9 of the product inside a command of an operator, and before an install that fails; in all other places the matrix does it.</summary>
public sealed class KillTests
{
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

    [Fact]
    public async Task What_had_come_when_the_product_was_killed_goes_with_the_install_that_fails_later()
    {
        await using var host = await RegisteredHost.Start();
        var before = await host.Footprint();
        var id = await host.Install(RegisteredHost.OneZone(RegisteredHost.Zone + "\nwww A not-an-address\n"));
        await host.Lab.Run("until docker images -q | grep -q .; do sleep 0.01; done");
        await host.Product.Kill();
        await host.Product.Launch();

        var run = await host.Outcome(id);
        Assert.True(RegisteredHost.State(run) == "failed", RegisteredHost.Story(run));
        Assert.Equal(before, await host.Footprint());
    }

    private static async Task KillOnceThere(RegisteredHost host, string file)
    {
        await ProductProcess.Until(async () => (await host.Lab.TryRun($"test -e {file}")).ExitCode == 0, $"the command has made {file}");
        await host.Product.Kill();
        await host.Product.Launch();
    }
}
