namespace ManagedServers.Workflows.Tests.Payload;

public sealed class AgentOnHostTests : IAsyncLifetime
{
    private readonly TestProduct product = new(AgentHost.Gateway());

    public Task InitializeAsync() => product.Start();

    public async Task DisposeAsync() => await product.DisposeAsync();

    [Fact]
    public async Task With_cron_it_survives_kills_and_reboots_and_an_uninstall_gives_the_crontab_back()
    {
        await using var host = await AgentHost.Boot();
        await Until.True("cron", async () => (await host.Try("pgrep", "-x", "cron")).ExitCode == 0);
        await host.Shell("printf '# mine\\n5 4 * * * true\\n' | crontab -");
        await host.WriteAgent(product);

        var (changed, supervision, first) = await host.Install();
        Assert.Equal((true, "cron"), (changed, supervision));
        Assert.Equal((false, "cron", first), await host.Install());
        await Until.True("a beat", () => !product.Beats.IsEmpty);
        Assert.Equal("stopped", product.Beats.Values.First().Docker!.State);

        await host.Run("kill", "-9", first.ToString());
        await Until.True("another agent after a kill", async () => (await host.Processes()).Agents is [var pid] && pid != first);
        await host.Run("kill", "-9", (await host.Processes()).Supervisors.Single().ToString());
        await Until.True("another supervisor after a kill", async () => await host.Processes() is ([_], [_]));
        Assert.False((await host.Install()).Changed);

        var count = product.Beats.Count;
        await host.Reboot();
        await Until.True("a beat after the reboot", () => product.Beats.Count > count + 1, 60);
        Assert.True(await host.Processes() is ([_], [_]));
        Assert.False((await host.Install()).Changed);
        Assert.Single(product.Beats.Keys.Select(k => k.Epoch).Distinct());
        Assert.Empty(product.Reused);

        await host.Run("python3", $"{AgentHost.Agent}/agent.py", "uninstall");
        Assert.True(await host.Processes() is ([], []));
        Assert.Equal("# mine\n5 4 * * * true\n", await host.Run("crontab", "-l"));
        Assert.Equal(["agent.json", "agent.py", "ca.pem"], (await host.Run("ls", AgentHost.Agent)).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task New_contents_start_it_again_and_two_installations_at_once_leave_one_agent()
    {
        await using var host = await AgentHost.Boot();
        await host.WriteAgent(product);
        var (_, _, first) = await host.Install();
        await host.Shell($"echo '# another version' >> {AgentHost.Agent}/agent.py");

        await host.Shell($"cd {AgentHost.Agent}; for i in 1 2 3; do python3 agent.py install & done; sleep 0.3; kill -9 $!; wait");
        var (_, _, second) = await host.Install();

        Assert.NotEqual(first, second);
        Assert.Equal((false, second), (await host.Install()) is var again ? (again.Changed, again.Pid) : default);
        await Until.True("one supervisor and one agent are left", async () => await host.Processes() is ([_], [_]), 60);
    }

    [Fact]
    public async Task Without_cron_rc_local_starts_it_and_is_given_back_byte_by_byte()
    {
        const string original = "#!/bin/sh -e\necho started >> /rc-was-here\nexit 0";
        await using var host = await AgentHost.Boot($"touch /run/lab-host/cron.stopped\nrm /usr/bin/crontab\nprintf '{original.Replace("\n", "\\n", StringComparison.Ordinal)}' > /etc/rc.local\nchmod 640 /etc/rc.local");
        await host.WriteAgent(product);

        Assert.Equal((true, "rc.local"), (await host.Install()) is var done ? (done.Changed, done.Supervision) : default);
        Assert.False((await host.Install()).Changed);
        await host.Reboot();
        await Until.True("the agent after the reboot", async () => await host.Processes() is ([_], [_]), 60);
        Assert.Equal("started\n", await host.Run("cat", "/rc-was-here"));

        await host.Run("python3", $"{AgentHost.Agent}/agent.py", "uninstall");
        Assert.Equal(original, await host.Run("cat", "/etc/rc.local"));
        Assert.Equal("640\n", await host.Run("stat", "-c", "%a", "/etc/rc.local"));
        Assert.True(await host.Processes() is ([], []));

        foreach (var text in new[] { "", "#!/bin/sh\n", "#!/bin/sh\nexit 0\n\n", "#!/bin/sh\ntrue", "#!/bin/sh\r\nexit 0\r\n" })
        {
            await host.Write("/etc/rc.local", text);
            await host.Install();
            await host.Run("python3", $"{AgentHost.Agent}/agent.py", "uninstall");
            Assert.Equal(text, await host.Run("cat", "/etc/rc.local"));
        }
    }

    [Fact]
    public async Task Where_nothing_can_bring_it_back_it_runs_all_the_same_and_says_so()
    {
        await using var host = await AgentHost.Boot("touch /run/lab-host/cron.stopped\nrm /usr/bin/crontab");
        await host.WriteAgent(product);

        Assert.Equal((true, "none"), (await host.Install()) is var done ? (done.Changed, done.Supervision) : default);
        await Until.True("a beat", () => !product.Beats.IsEmpty);
    }

    [Fact]
    public async Task A_full_disk_does_not_silence_it()
    {
        await using var host = await AgentHost.Boot();
        await host.WriteAgent(product);
        // A file system of its own, of 64 MiB.
        await host.Shell($"mkdir -p /dev/shm/spool && dd if=/dev/zero of=/dev/shm/filler bs=1M count=100 2>/dev/null; ln -s /dev/shm/spool {AgentHost.Agent}/spool");

        await host.Install();
        await Until.True("beats with a full disk", () => product.Beats.Count >= 3);
        await host.Run("rm", "/dev/shm/filler");
        var count = product.Beats.Count;
        await Until.True("beats with room again", () => product.Beats.Count >= count + 3);
        Assert.Equal(Enumerable.Range(1, product.Beats.Count).Select(i => (long)i), product.Beats.Keys.Select(k => k.Seq).Order());
    }
}
