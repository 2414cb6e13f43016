using System.Collections.Concurrent;
using System.Text;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class CommandTests(TestHost lab)
{
    [Fact]
    public async Task A_disk_that_is_full_is_told_as_such_whatever_program_says_so()
    {
        await using var host = await lab.Connect();

        var result = await host.Run(["sh", "-c", "cat /proc/version >/dev/full"]);

        var full = Assert.Throws<HostRejectedException>(() => result.Check());
        Assert.Equal(HostProblem.DiskFull, full.Code);
        Assert.Contains("df -h", full.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_traces_of_a_program_the_lines_that_say_what_happened_are_told()
    {
        await using var host = await lab.Connect();
        const string Script = "try:\n    open('/dev/full', 'w', 1).write('x\\n')\nexcept OSError as e:\n    ";

        var full = Assert.Throws<HostRejectedException>((await host.Run(["python3", "-c", Script + "raise RuntimeError('not written: %s' % e)"])).Check);
        Assert.Equal($"A disk is full: python3 on ns1 ({lab.Address}:22) failed with \"RuntimeError: not written: [Errno 28] No space left on device\". Free some space there (`df -h`; for inodes `df -i`), then retry.", full.Message);
        var other = Assert.Throws<HostCommandException>((await host.Run(["python3", "-c", "def f():\n    raise ValueError('bad')\nf()"])).Check);
        Assert.Equal($"python3 on ns1 ({lab.Address}:22) ended with exit code 1. It said: ValueError: bad", other.Message);
    }

    [Fact]
    public async Task Both_outputs_and_the_exit_code_come_back()
    {
        await using var host = await lab.Connect();

        var result = await host.Run(["sh", "-c", "echo out; echo err >&2; exit 3"]);

        Assert.Equal((3, "out\n", "err\n"), (result.ExitCode, result.Stdout, result.Stderr));
        var failure = Assert.Throws<HostCommandException>(result.Check);
        Assert.Equal($"sh on ns1 ({lab.Address}:22) ended with exit code 3. It said: err", failure.Message);
    }

    [Fact]
    public async Task What_a_login_prints_and_sets_does_not_matter()
    {
        await using var host = await lab.Connect("odd");

        var result = await host.Run(["sh", "-c", "umask; command -v sysctl"]);

        Assert.Equal(("0022\n/usr/sbin/sysctl\n", ""), (result.Stdout, result.Stderr));
    }

    [Fact]
    public async Task A_login_without_a_shell_is_told_as_such()
    {
        await using var host = await lab.Connect("nologin");

        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.Run(["true"]));

        Assert.Equal(HostProblem.ShellRefused, problem.Code);
        Assert.Contains("This account is currently not available", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Twenty_megabytes_go_through_standard_input_and_come_back()
    {
        await using var host = await lab.Connect();
        var data = new byte[20 << 20];
        Random.Shared.NextBytes(data);

        var sum = await host.Run(["sha256sum"], new CommandOptions { Stdin = new MemoryStream(data) });
        var back = await host.Run(["base64", "-w0"], new CommandOptions { Stdin = new MemoryStream(data), OutputLimit = 30 << 20 });

        Assert.StartsWith(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(data)), sum.Stdout, StringComparison.Ordinal);
        Assert.Equal(Convert.ToBase64String(data), back.Stdout);
    }

    [Fact]
    public async Task A_command_that_does_not_read_its_input_ends_all_the_same()
    {
        await using var host = await lab.Connect();

        var result = await host.Run(["sh", "-c", "exit 7"], new CommandOptions { Stdin = new MemoryStream(new byte[20 << 20]), Timeout = TimeSpan.FromSeconds(20) });

        Assert.Equal(7, result.ExitCode);
    }

    [Fact]
    public async Task An_empty_input_is_an_end_of_file_too()
    {
        await using var host = await lab.Connect();

        Assert.Equal("0\n", (await host.Run(["wc", "-c"], new CommandOptions { Stdin = new MemoryStream() })).Stdout);
        Assert.Equal("0\n", (await host.Run(["wc", "-c"])).Stdout);
    }

    [Fact]
    public async Task Output_beyond_the_limit_is_dropped_but_every_line_is_seen()
    {
        await using var host = await lab.Connect();
        var lines = 0;

        var result = await host.Run(["seq", "1", "1000000"], new CommandOptions { OutputLimit = 1000, OnLine = _ => lines++ });

        Assert.True(result.Truncated);
        Assert.Equal(1000, result.Stdout.Length);
        Assert.Equal(1_000_000, lines);
    }

    [Fact]
    public async Task Lines_come_while_the_command_runs()
    {
        await using var host = await lab.Connect();
        var lines = new ConcurrentQueue<CommandLine>();
        using var stop = new CancellationTokenSource();

        var running = host.Run(["sh", "-c", "echo first; printf 'é' ; echo 2 >&2; sleep 600"], new CommandOptions { OnLine = lines.Enqueue }, stop.Token);
        await Eventually.True(() => lines.Count == 2);

        Assert.Equivalent(new[] { new CommandLine("first", false), new CommandLine("2", true) }, lines);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Gone("sleep 600");
    }

    [Fact]
    public async Task A_command_that_takes_too_long_is_ended_on_the_host()
    {
        await using var host = await lab.Connect();

        var problem = await Assert.ThrowsAsync<HostCommandTimeoutException>(() => host.Run(["sleep", "601"], new CommandOptions { Timeout = TimeSpan.FromMilliseconds(300) }));

        Assert.Contains("sleep on ns1", problem.Message, StringComparison.Ordinal);
        await Gone("sleep 601");
    }

    [Fact]
    public async Task A_callback_that_fails_ends_the_command_and_is_heard()
    {
        await using var host = await lab.Connect();

        await Assert.ThrowsAsync<FormatException>(() => host.Run(["sh", "-c", "echo x; sleep 602"], new CommandOptions { OnLine = _ => throw new FormatException() }));

        await Gone("sleep 602");
    }

    [Fact]
    public async Task Forty_commands_at_once_queue_for_the_eight_channels_of_one_connection()
    {
        await using var pool = TestHost.NewPool();
        await using var host = await pool.Connect(lab.Target());

        // Each counts how many of its kind run beside it: those that have come and not yet gone.
        const string Beside = "mkdir -p /tmp/beside/$$ && sleep 0.1 && ls /tmp/beside | wc -l && rmdir /tmp/beside/$$";
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => host.Run(["sh", "-c", Beside])));

        Assert.All(results, r => Assert.InRange(int.Parse(r.Stdout, null), 1, 8));
        Assert.Equal(1, pool.OpenedInAll);
    }

    [Fact]
    public async Task What_goes_through_standard_input_is_in_no_process_list()
    {
        await using var host = await lab.Connect();
        var secret = "s3cret" + Guid.NewGuid().ToString("N");

        await host.Run(["cat"], new CommandOptions { Stdin = new MemoryStream(Encoding.UTF8.GetBytes(secret)) });
        using var stop = new CancellationTokenSource();
        var kept = KeptCommand.FromOperator("sleep 603") with { Environment = new Dictionary<string, string> { ["TOKEN"] = secret } };
        var running = host.RunKept("hosts-secret", kept, stop.Token);
        await Eventually.True(async () => (await lab.Outside("ps axww -o args")).Contains("sleep 603", StringComparison.Ordinal));
        var processes = await lab.Outside("ps axww -o args");
        await host.EndKept("hosts-secret");
        await running;
        await host.ForgetKept("hosts-secret");

        Assert.DoesNotContain(secret, processes, StringComparison.Ordinal);
        Assert.DoesNotContain(lab.Password, processes, StringComparison.Ordinal);
    }

    private Task Gone(string command) => Eventually.True(async () => !(await lab.Outside("ps axww -o args")).Contains(command, StringComparison.Ordinal));
}
