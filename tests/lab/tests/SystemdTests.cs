namespace ManagedServers.Lab.Tests;

public sealed class SystemdTests
{
    [Fact]
    public async Task With_systemd_a_host_comes_up_whole_and_changes_nothing_of_this_machine()
    {
        var before = KernelSettings();
        await using var host = await LabHost.Start(new LabOptions { Systemd = true });

        Assert.Equal("systemd", await host.Run("cat /proc/1/comm"));
        Assert.Equal("running", await host.Run("systemctl is-system-running"));
        Assert.StartsWith("Python 3.", SshLogin.Run(host, "root", host.RootPassword, "python3 --version"), StringComparison.Ordinal);
        Assert.Equal("0 overlay2", SshLogin.Run(host, "root", host.RootPassword, "docker info -f '{{.Containers}} {{.Driver}}'"));
        Assert.Equal(host.Name, SshLogin.Run(host, "root", host.RootPassword, "hostname"));
        Assert.NotEqual(0, (await host.TryRun("sysctl -w kernel.pid_max=$(sysctl -n kernel.pid_max)")).ExitCode);
        Assert.Equal(before, KernelSettings());

        var engine = await host.Run("systemctl show -P MainPID docker");
        await host.RestartDocker();
        Assert.NotEqual(engine, await host.Run("systemctl show -P MainPID docker"));
        await host.StopDocker();
        Assert.NotEqual(0, (await host.TryRun("docker version")).ExitCode);
        Assert.Equal("here", SshLogin.Run(host, "root", host.RootPassword, "echo here"));
    }

    [Fact]
    public async Task With_systemd_a_host_can_lack_docker_and_python_and_be_left_by_a_killed_process()
    {
        using var killed = new OwnedProcess();
        var host = await LabHost.Start(new LabOptions { Systemd = true, Docker = false, Python = false, Owner = killed.Owner });
        Assert.Equal("running", await host.Run("systemctl is-system-running"));
        Assert.Equal(127, (await host.TryRun("docker version")).ExitCode);
        Assert.Equal(127, (await host.TryRun("python3 --version")).ExitCode);

        killed.Dispose();
        await LabLeftovers.Remove();

        Assert.Equal(0, await LabThings.CountOf(killed.Owner));
    }

    /// <summary>What systemd would set, and the hierarchies of control groups that it would make.</summary>
    private static string KernelSettings() => string.Join('\n',
    [
        .. new[] { "fs/file-max", "fs/nr_open", "kernel/pid_max", "kernel/core_pattern", "vm/max_map_count" }.Select(name => File.ReadAllText($"/proc/sys/{name}")),
        .. File.ReadAllLines("/proc/cgroups").Select(line => string.Join(' ', line.Split('\t').Take(2))),
    ]);
}
