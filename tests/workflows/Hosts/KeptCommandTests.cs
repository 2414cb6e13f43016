using System.Collections.Concurrent;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class KeptCommandTests(TestHost lab)
{
    private readonly string key = "test-" + Guid.NewGuid().ToString("N");
    private readonly ConcurrentQueue<string> lines = new();

    [Fact]
    public async Task It_runs_once_and_its_result_is_given_again()
    {
        await using var host = await lab.Connect();
        var command = KeptCommand.FromOperator("echo one\necho two >&2\necho ran >> /tmp/" + key + "\nexit 5");

        var first = await host.RunKept(key, command);
        var second = await host.RunKept(key, command);

        Assert.Equal((5, "one\ntwo\n"), (first.ExitCode, first.Stdout));
        Assert.Equal(first, second);
        Assert.Equal("ran", await lab.Outside($"cat /tmp/{key}"));
        Assert.Equal(new KeptCommandState(KeptCommandPhase.Ended, 5), await host.LookUpKept(key));
        await host.ForgetKept(key);
        Assert.Equal(new KeptCommandState(KeptCommandPhase.None), await host.LookUpKept(key));
    }

    [Fact]
    public async Task An_argument_vector_and_an_environment_arrive_unchanged()
    {
        await using var host = await lab.Connect();
        const string odd = "it's\n$HOME `id` \\ ! %s";

        var result = await host.RunKept(key, KeptCommand.Of("sh", "-c", "printf '%s|%s' \"$1\" \"$V\"", "sh", odd) with { Environment = new Dictionary<string, string> { ["V"] = odd } });

        Assert.Equal($"{odd}|{odd}", result.Stdout);
    }

    [Fact]
    public async Task It_survives_a_cut_connection_and_its_output_comes_from_the_beginning()
    {
        var command = KeptCommand.FromOperator($"echo begin; echo ran >> /tmp/{key}; while [ ! -e /tmp/{key}-go ]; do sleep 0.05; done; echo end");
        await using (var pool = TestHost.NewPool())
        {
            await using var host = await pool.Connect(lab.Target());
            var running = host.RunKept(key, command with { OnLine = l => lines.Enqueue(l.Text) });
            await Eventually.True(() => lines.Contains("begin"));
            await lab.CutConnections();
            Assert.Equal(HostProblem.ConnectionLost, (await Assert.ThrowsAsync<HostUnavailableException>(() => running)).Code);
        }

        await using var other = TestHost.NewPool();
        await using var again = await other.Connect(lab.Target());
        Assert.Equal(KeptCommandPhase.Running, (await again.LookUpKept(key)).Phase);
        lines.Clear();
        var attached = again.RunKept(key, command with { OnLine = l => lines.Enqueue(l.Text) });
        await Eventually.True(() => lines.Contains("begin"));
        await lab.Outside($"touch /tmp/{key}-go");

        Assert.Equal((0, "begin\nend\n"), ((await attached).ExitCode, (await attached).Stdout));
        Assert.Equal(["begin", "end"], lines);
        Assert.Equal("ran", await lab.Outside($"cat /tmp/{key}"));
    }

    [Fact]
    public async Task Many_who_start_it_at_once_start_it_once()
    {
        await using var host = await lab.Connect();
        var command = KeptCommand.FromOperator($"echo ran >> /tmp/{key}; sleep 0.3; echo done");

        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => host.RunKept(key, command)));

        Assert.All(results, r => Assert.Equal("done\n", r.Stdout));
        Assert.Equal("ran", await lab.Outside($"cat /tmp/{key}"));
    }

    [Fact]
    public async Task One_that_was_killed_from_outside_has_an_exit_code()
    {
        await using var host = await lab.Connect();
        var running = host.RunKept(key, KeptCommand.FromOperator("exec sleep 606"));
        await Eventually.True(async () => (await lab.Outside("pgrep -fx '[s]leep 606' || true")).Length > 0);

        await lab.Outside("pkill -9 -fx '[s]leep 606'");

        Assert.Equal(137, (await running).ExitCode);
    }

    [Fact]
    public async Task One_whose_wrapper_and_children_are_gone_is_lost_until_forgotten()
    {
        await using var host = await lab.Connect();
        var command = KeptCommand.FromOperator("echo half; exec sleep 607");
        var running = host.RunKept(key, command with { OnLine = l => lines.Enqueue(l.Text) });
        await Eventually.True(() => lines.Contains("half"));

        // As a reboot does it: the wrapper first, so that nobody notes an exit code.
        await lab.Outside($"pkill -9 -f '[c]ommands/{key}/wrapper'");
        Assert.Equal(KeptCommandPhase.Running, (await host.LookUpKept(key)).Phase);
        await lab.Outside("pkill -9 -fx '[s]leep 607'");

        Assert.Equal(HostProblem.CommandLost, (await Assert.ThrowsAsync<HostRejectedException>(() => running)).Code);
        Assert.Equal(KeptCommandPhase.Lost, (await host.LookUpKept(key)).Phase);
        Assert.Equal(HostProblem.CommandLost, (await Assert.ThrowsAsync<HostRejectedException>(() => host.RunKept(key, command))).Code);
        await host.ForgetKept(key);
        Assert.Equal("again\n", (await host.RunKept(key, KeptCommand.FromOperator("echo again"))).Stdout);
    }

    [Fact]
    public async Task One_whose_record_is_removed_while_it_runs_is_lost_and_still_ended_at_its_limit()
    {
        await using var host = await lab.Connect();

        var gone = await Assert.ThrowsAsync<HostRejectedException>(() => host.RunKept(key, KeptCommand.FromOperator("rm -rf /var/lib/managed-servers/commands; exec sleep 614") with { Timeout = TimeSpan.FromSeconds(1) }));

        Assert.Equal(HostProblem.CommandLost, gone.Code);
        await Eventually.True(async () => (await lab.Outside("pgrep -fx '[s]leep 614' || true")).Length == 0);
    }

    [Fact]
    public async Task One_that_ran_when_the_host_lost_its_power_is_lost_and_one_that_had_ended_is_not()
    {
        await using var pool = TestHost.NewPool(new HostsOptions { PulseInterval = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(1) });
        await using var host = await pool.Connect(lab.Target());
        await host.RunKept(key + "-ended", KeptCommand.FromOperator("echo kept; exit 4"));
        var running = host.RunKept(key, KeptCommand.FromOperator("echo half; exec sleep 613") with { OnLine = l => lines.Enqueue(l.Text) });
        await Eventually.True(() => lines.Contains("half"));

        await lab.LosePower();

        await Assert.ThrowsAsync<HostUnavailableException>(() => running);
        await using var again = await pool.Connect(lab.Target());
        Assert.Equal(KeptCommandPhase.Lost, (await again.LookUpKept(key)).Phase);
        Assert.Equal((4, "kept\n"), await again.RunKept(key + "-ended", KeptCommand.FromOperator("exit 9")) is var ended ? (ended.ExitCode, ended.Stdout) : default);
    }

    [Fact]
    public async Task Ending_it_ends_its_children_too()
    {
        await using var host = await lab.Connect();
        var running = host.RunKept(key, KeptCommand.FromOperator("sleep 608 & sleep 608"));
        await Eventually.True(async () => (await lab.Outside("pgrep -fxc '[s]leep 608' || true")).Trim() == "2");
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.ForgetKept(key));

        await host.EndKept(key);

        Assert.Equal(143, (await running).ExitCode);
        Assert.Equal("0", (await lab.Outside("pgrep -fxc '[s]leep 608' || true")).Trim());
        await host.EndKept(key);
    }

    [Fact]
    public async Task The_host_keeps_its_time_limit_by_itself()
    {
        await using var host = await lab.Connect();

        var result = await host.RunKept(key, KeptCommand.FromOperator("echo a; sleep 609") with { Timeout = TimeSpan.FromSeconds(1) });

        Assert.Equal((143, "a\n", true), (result.ExitCode, result.Stdout, result.TimedOut));
        Assert.Equal(new KeptCommandState(KeptCommandPhase.Ended, 143, true), await host.LookUpKept(key));
    }

    [Fact]
    public async Task A_daemon_that_it_leaves_behind_does_not_hold_it_up()
    {
        await using var host = await lab.Connect();

        var result = await host.RunKept(key, KeptCommand.FromOperator("setsid sleep 610 & echo started"));

        Assert.Equal((0, "started\n"), (result.ExitCode, result.Stdout));
        await lab.Outside("pkill -fx '[s]leep 610'");
    }

    [Fact]
    public async Task No_timer_stays_behind()
    {
        await using var host = await lab.Connect();

        await host.RunKept(key, KeptCommand.FromOperator("true") with { Timeout = TimeSpan.FromSeconds(6111) });

        await Eventually.True(async () => (await lab.Outside("pgrep -f '[s]leep 6111' || true")).Length == 0);
    }

    [Fact]
    public async Task Output_up_to_the_limit_is_kept_whole()
    {
        await using var host = await lab.Connect();

        var result = await host.RunKept(key, KeptCommand.FromOperator("seq 1 100000") with { OnLine = l => lines.Enqueue(l.Text) });

        Assert.Equal((588_895, false, 100_000), (result.Stdout.Length, result.Truncated, lines.Count));
    }

    [Fact]
    public async Task Endless_output_does_not_fill_the_hosts_disk_and_says_that_it_was_cut()
    {
        await using var host = await lab.Connect();

        var result = await host.RunKept(key, KeptCommand.FromOperator("exec yes") with { Timeout = TimeSpan.FromSeconds(2), OutputLimit = 1000, OnLine = l => lines.Enqueue(l.Text) });

        Assert.Equal((143, true, true, 1000), (result.ExitCode, result.TimedOut, result.Truncated, result.Stdout.Length));
        Assert.Equal("[Only the first 1000 bytes of the output are kept.]", lines.Last());
        Assert.InRange(long.Parse(await lab.Outside($"du -sb /var/lib/managed-servers/commands/{key} | cut -f1"), null), 1000, 20_000);
        await Eventually.True(async () => (await lab.Outside("pgrep -x yes || true")).Length == 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("a b")]
    [InlineData("-x")]
    public async Task A_key_that_is_more_than_a_name_is_refused(string bad)
    {
        await using var host = await lab.Connect();

        await Assert.ThrowsAsync<ArgumentException>(() => host.LookUpKept(bad));
    }

    [Fact]
    public async Task A_login_that_may_not_keep_commands_is_told_as_such()
    {
        await using var host = await lab.Connect("plain");

        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.RunKept(key, KeptCommand.Of("true")));

        Assert.Equal(HostProblem.PermissionDenied, problem.Code);
    }
}
