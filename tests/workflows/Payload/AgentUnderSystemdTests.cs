using System.Globalization;
using System.Net;
using System.Text.Json;
using ManagedServers.Lab;

namespace ManagedServers.Workflows.Tests.Payload;

public sealed class AgentUnderSystemdTests(SystemdHost systemd) : IClassFixture<SystemdHost>, IAsyncLifetime
{
    private const string Unit = "managed-servers-agent.service";
    private const string UnitFile = "/etc/systemd/system/" + Unit;
    private readonly TestProduct product = new(IPAddress.Parse(systemd.Lab.Gateway));
    private readonly LabHost lab = systemd.Lab;
    private readonly AgentHost host = AgentHost.Of(systemd.Lab);

    public async Task InitializeAsync()
    {
        await product.Start();
        await host.WriteAgent(product);
    }

    public async Task DisposeAsync()
    {
        await lab.TryRun($"python3 {AgentHost.Agent}/agent.py uninstall; rm -rf {AgentHost.Agent}");
        await product.DisposeAsync();
    }

    [Fact]
    public async Task As_a_unit_it_survives_kills_and_reboots_and_an_uninstall_leaves_no_trace()
    {
        var before = await Traces();
        var (changed, supervision, first) = await host.Install();
        Assert.Equal((true, "systemd"), (changed, supervision));
        Assert.Equal(first, await MainProcess());
        Assert.Equal("enabled\nactive", await lab.Run($"systemctl is-enabled {Unit}; systemctl is-active {Unit}"));
        Assert.Equal((false, "systemd", first), await host.Install());
        await Until.True("a beat", () => !product.Beats.IsEmpty);
        Assert.Equal("running", product.Beats.Values.First().Docker!.State);

        await lab.Run($"kill -9 {first}");
        await Until.True("another agent after a kill", async () => await MainProcess() is not 0 and var next && next != first);
        await BeatsGoOn();
        Assert.False((await host.Install()).Changed);

        await lab.Reboot();
        await BeatsGoOn();
        Assert.Equal("running", await lab.Run("systemctl is-system-running"));
        Assert.False((await host.Install()).Changed);
        Assert.True(await host.Processes() is ([_], []));
        Assert.Single(product.Beats.Keys.Select(k => k.Epoch).Distinct());
        Assert.Empty(product.Reused);

        // So that it is a unit that failed, if a dead process can make it one.
        await lab.Run($"kill -9 {await MainProcess()}");
        await host.Run("python3", $"{AgentHost.Agent}/agent.py", "uninstall");
        Assert.True(await host.Processes() is ([], []));
        Assert.Equal(before, await Traces());
        Assert.Equal("agent.json\nagent.py\nca.pem", await lab.Run($"ls -A {AgentHost.Agent}"));
    }

    [Fact]
    public async Task Systemd_finds_nothing_wrong_with_the_unit_and_its_walls_hide_nothing_that_is_measured()
    {
        var before = await Complaints();
        // A configuration that root alone may read, and a container: what drift is looked for in.
        product.AsOf = "now";
        await host.Shell("umask 077 && mkdir -p /var/lib/managed-servers/dns/config/0123456789abcdef && cd /var/lib/managed-servers/dns/config && echo x > 0123456789abcdef/knot.conf && ln -s 0123456789abcdef current");
        var (_, _, pid) = await host.Install();
        await Until.True("a beat", () => !product.Beats.IsEmpty);
        await Until.True("what runs", () => product.States.Count >= 2);
        await host.Shell("rm -r /var/lib/managed-servers/dns");
        Assert.NotNull(product.States.ElementAt(1).Containers);
        Assert.Equal(["knot.conf"], product.States.ElementAt(1).Configurations!.Single()!.Files!.Keys);

        Assert.Equal(new LabOutput(0, "", ""), await lab.TryRun($"systemd-analyze verify --recursive-errors=no {UnitFile}"));
        Assert.Equal(before, await Complaints());
        Assert.Equal(["CapBnd:\t0000000000000004", "NoNewPrivs:\t1", "Seccomp:\t2"],
            (await lab.Run($"grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/{pid}/status")).Split('\n').Order());
        Assert.Equal($"{64 << 20}", await lab.Run($"cd /sys/fs/cgroup; cat memory/system.slice/{Unit}/memory.limit_in_bytes 2> /dev/null || cat system.slice/{Unit}/memory.max"));
        using var outside = JsonDocument.Parse(await lab.Run($"cd {AgentHost.Agent} && python3 -B -c 'import agent, json; print(json.dumps(agent.Measures().beat()))'"));
        var inside = product.Beats.Values.Last();
        Assert.Equal(outside.RootElement.GetProperty("disks").EnumerateArray().Select(d => d.GetProperty("totalBytes").GetInt64()), inside.Disks!.Select(d => d!.TotalBytes));
        Assert.NotNull(inside.Load);
        Assert.NotNull(inside.Memory);
        Assert.NotNull(inside.Connections);
        Assert.NotNull(inside.Components);
        Assert.Equal(outside.RootElement.GetProperty("docker").GetProperty("version").GetString(), inside.Docker!.Version);
    }

    [Fact]
    public async Task A_systemd_that_does_not_know_the_units_groups_of_system_calls_runs_it_all_the_same()
    {
        await lab.Run($"sed -i '/^SystemCallFilter=/s/@[a-z-]*/@of-a-later-version/g' {AgentHost.Agent}/agent.py");

        var (_, supervision, _) = await host.Install();

        Assert.Equal("systemd", supervision);
        Assert.Contains("@of-a-later-version", await Complaints(), StringComparison.Ordinal);
        await Until.True("a beat", () => !product.Beats.IsEmpty);
    }

    [Fact]
    public async Task An_agent_that_was_started_past_systemd_is_handed_over_to_it()
    {
        await host.Install();
        await lab.Run($"systemctl stop {Unit} && python3 -I {AgentHost.Agent}/agent.py supervise");
        await Until.True("an agent of its own", async () => await host.Processes() is ([_], [_]));

        var (changed, supervision, pid) = await host.Install();

        Assert.Equal((true, "systemd", await MainProcess()), (changed, supervision, pid));
        Assert.True(await host.Processes() is ([_], []));
    }

    [Fact]
    public async Task An_update_that_was_cut_off_before_systemd_read_the_new_unit_is_finished_by_the_next()
    {
        await host.Install();
        await lab.Run($"sed -i s/^MemoryMax=.*/MemoryMax=65M/ {AgentHost.Agent}/agent.py {UnitFile}");

        var (changed, _, _) = await host.Install();

        Assert.True(changed);
        Assert.Equal($"{65 << 20}\nno", await lab.Run($"systemctl show -P MemoryMax -P NeedDaemonReload {Unit}"));
    }

    [Fact]
    public async Task An_uninstall_that_systemd_does_not_follow_fails_and_can_be_repeated()
    {
        await host.Install();
        await lab.Run("mkdir -p /root/deaf && printf '#!/bin/sh\\necho Connection timed out >&2; exit 1\\n' > /root/deaf/systemctl && chmod +x /root/deaf/systemctl");

        var refused = await lab.TryRun($"PATH=/root/deaf:$PATH python3 {AgentHost.Agent}/agent.py uninstall");

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains($"systemctl disable --now --quiet {Unit}: Connection timed out", refused.Errors, StringComparison.Ordinal);
        await lab.Run($"test -e {UnitFile} && python3 {AgentHost.Agent}/agent.py uninstall && test ! -e {UnitFile}");
    }

    [Fact]
    public async Task A_user_without_cron_needs_root_once_and_is_kept_by_a_systemd_of_his_own_from_boot_on()
    {
        // What linger does, without the logind that a container has no bus for.
        await lab.Run("""
            useradd --create-home --groups docker runner && echo runner >> /etc/cron.deny
            mkdir -p /etc/systemd/system/user@.service.d /etc/systemd/system/user-runtime-dir@.service.d /var/lib/systemd/linger
            printf '[Unit]\nRequires=\n[Service]\nPAMName=\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\n' > /etc/systemd/system/user@.service.d/lab.conf
            printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "install -d -m 700 -o %%i /run/user/%%i"\nExecStop=\n' > /etc/systemd/system/user-runtime-dir@.service.d/lab.conf
            rm -f /usr/lib/systemd/system/user@.service.d/10-login-barrier.conf
            systemctl daemon-reload
            """);
        var before = await lab.Run("cd /home/runner && find . | sort");
        await lab.Run($"cp -r {Path.GetDirectoryName(AgentHost.Agent)} /home/runner/.managed-servers && chown -R runner: /home/runner/.managed-servers");
        Assert.Equal("""{"supervision": "none", "rootStep": "loginctl enable-linger runner"}""", await AsRunner("probe"));

        await lab.Run("touch /var/lib/systemd/linger/runner; u=user@$(id -u runner).service; ln -s /usr/lib/systemd/system/user@.service /etc/systemd/system/multi-user.target.wants/$u && systemctl daemon-reload && systemctl start $u");
        Assert.Equal("""{"supervision": "systemd --user", "rootStep": null}""", await AsRunner("probe"));
        Assert.StartsWith("""{"changed": true, "supervision": "systemd --user", """, await AsRunner("install"), StringComparison.Ordinal);
        Assert.StartsWith("""{"changed": false, "supervision": "systemd --user", """, await AsRunner("install"), StringComparison.Ordinal);
        await Until.True("a beat", () => !product.Beats.IsEmpty);
        Assert.Equal("running", product.Beats.Values.First().Docker!.State);
        await lab.Run("kill -9 $(pgrep -u runner -f '[a]gent.py run')");
        await BeatsGoOn();
        await lab.Reboot();
        await BeatsGoOn();
        Assert.Equal("1", await lab.Run("pgrep -u runner -fc '[a]gent.py run'"));

        await AsRunner("uninstall");
        await lab.Run("rm -r /home/runner/.managed-servers");
        Assert.Equal(before, await lab.Run("cd /home/runner && find . | sort"));
        Assert.Equal("", await lab.Run("pgrep -u runner -f agent.py || true"));
        await lab.Run("u=user@$(id -u runner).service; systemctl stop $u; rm /etc/systemd/system/multi-user.target.wants/$u /var/lib/systemd/linger/runner");
    }

    private Task<string> AsRunner(string command) => lab.Run($"runuser -u runner -- python3 -I /home/runner/.managed-servers/agent/agent.py {command}");

    private async Task<int> MainProcess() => int.Parse(await lab.Run($"systemctl show -P MainPID {Unit}"), CultureInfo.InvariantCulture);

    /// <summary>What systemd said about lines of the unit that it does not understand.</summary>
    private Task<string> Complaints() => lab.Run($"journalctl --sync; journalctl --boot --output cat _PID=1 | grep -F {UnitFile}: || true");

    private async Task BeatsGoOn()
    {
        var count = product.Beats.Count;
        await Until.True("more beats", () => product.Beats.Count > count + 1, 60);
    }

    /// <summary>Where systemd, or the agent under it, could have left something behind.</summary>
    private Task<string> Traces() => lab.Run(
        """
        find /etc /run/systemd /usr/lib/systemd /var/lib/systemd /tmp /var/tmp /sys/fs/cgroup -name '*managed-servers*' 2> /dev/null
        systemctl list-units --all --no-legend 'managed-servers*'
        systemctl list-units --failed --no-legend
        crontab -l 2> /dev/null
        exit 0
        """);
}
