using System.Diagnostics;
using Dapper;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Pull;
using ManagedServers.Workflows.Tests.Hosts;
using ManagedServers.Workflows.Tests.Monitoring;
using Microsoft.Extensions.Logging.Abstractions;

namespace ManagedServers.Workflows.Tests.Pull;

/// <summary>A real host on which something else answers in the place of the agent, or of the program between it and the product.</summary>
public sealed class HostileHostTests(Database database, TestHost lab) : MonitoringTest(database), IClassFixture<TestHost>
{
    private const string Epoch = "00112233445566778899aabbccddeeff";
    private PullSessions sessions = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        sessions = new PullSessions((_, cancellationToken) => lab.Pool.Connect(lab.Target(), cancellationToken), TimeProvider.System, NullLogger<PullSessions>.Instance);
    }

    public override async Task DisposeAsync()
    {
        await sessions.DisposeAsync();
        await lab.Outside("pkill -f '^python3 -c #hostile' || true");
        await base.DisposeAsync();
    }

    [Fact]
    public async Task What_is_no_report_is_refused_within_bounds_told_and_forgotten_with_the_next_good_answer()
    {
        var other = Guid.CreateVersion7();
        string[] deep = [new string('[', 200) + new string(']', 200)];
        foreach (var (answer, reason) in new[]
        {
            ("b'}{ no json\\n'", "is no report"),
            ("b'\\xff\\xfe\\n'", "does not answer"),
            ("b'x' * 5000", "hung up"),
            ("b'x' * (10 << 20) + b'\\n'", "more than"),
            ($"b'{{\"server\":\"{Server}\",\"report\":{{\"epoch\":{deep[0]}}},\"more\":false}}\\n'", "is no report"),
            ($"b'{{\"server\":\"{Server}\",\"report\":{{\"epoch\":\"{Epoch}\",\"now\":\"2026-03-01T12:00:00Z\",\"beats\":[{{\"seq\":1,\"load\":[NaN,1,1]}}]}},\"more\":false}}\\n'", "is no report"),
            (Report(other, Beat(1)), $"reports for server {other}"),
            (Report(Server, string.Join(",", Enumerable.Range(1, 1001).Select(Beat))), "1001 records at once"),
        })
        {
            await Answer(answer);
            var refused = await Assert.ThrowsAnyAsync<Exception>(() => Read());
            Assert.True(refused is PullRefusedException or IHostProblem && refused.Message.Contains(reason, StringComparison.Ordinal), $"{answer[..Math.Min(answer.Length, 60)]}: {refused}");
        }

        Assert.Equal(0, await Beats());

        // One record of three breaks a rule; and the same answer again is nothing new.
        await Answer(Report(Server, $"{Beat(1)},{{\"seq\":2}},{Beat(3)}"));
        var outcome = await Read();
        Assert.Equal(2, outcome.Records);
        Assert.Contains("beats[0].sentAt", outcome.Dropped, StringComparison.Ordinal);
        Assert.Equal(0, (await Read()).Records);
        Assert.Equal(2, await Beats());
    }

    [Fact]
    public async Task A_program_that_is_silent_endless_or_talks_unasked_is_given_up()
    {
        await using var host = await lab.Connect();
        await using (var silent = await host.Converse(["sleep", "600"]))
        {
            Assert.Contains("did not answer within", (await Assert.ThrowsAsync<HostUnavailableException>(() => silent.Ask("?"u8.ToArray(), 1000, TimeSpan.FromMilliseconds(300)))).Message, StringComparison.Ordinal);
        }

        await using (var endless = await host.Converse(["sh", "-c", "read question; tr '\\0' x < /dev/zero"]))
        {
            var before = Process.GetCurrentProcess().WorkingSet64;
            Assert.Contains("more than 1024 KiB", (await Assert.ThrowsAsync<HostRejectedException>(() => endless.Ask("?"u8.ToArray(), 1 << 20, TimeSpan.FromSeconds(30)))).Message, StringComparison.Ordinal);
        }

        await using (var ended = await host.Converse(["sh", "-c", "echo it is broken >&2; exit 3"]))
        {
            Assert.Contains("(exit code 3). It said: it is broken", (await Assert.ThrowsAsync<HostUnavailableException>(() => ended.Ask("?"u8.ToArray(), 1000, TimeSpan.FromSeconds(30)))).Message, StringComparison.Ordinal);
        }

        await using var loud = await host.Converse(["sh", "-c", "while read question; do echo yes; echo and more; done"]);
        Assert.Contains("more than the one line", await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await loud.Ask("?"u8.ToArray(), 1000, TimeSpan.FromSeconds(30));
            await Eventually.True(() => loud.Unasked > 0);
            throw new InvalidOperationException("more than the one line came later, and is seen");
        }) is var said ? said.Message : "", StringComparison.Ordinal);
        Assert.Equal("still here\n", (await host.Run(["echo", "still here"])).Stdout);
    }

    private Task<PullOutcome> Read()
    {
        var current = Get<CurrentMonitoring>();
        return new StatisticsPull(sessions, Ingestion, current).Read(new PulledServer { Id = Server, Name = "ns1", Version = "1" }, CancellationToken.None);
    }

    private async Task<long> Beats()
    {
        await using var connection = await Source.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>("select count(*) from monitoring.heartbeat");
    }

    private static string Report(Guid server, string beats) => $"b'{{\"server\":\"{server}\",\"report\":{{\"epoch\":\"{Epoch}\",\"now\":\"2026-03-01T12:00:00Z\",\"beats\":[{beats}]}},\"more\":false}}\\n'";

    private static string Beat(int seq) => $"{{\"seq\":{seq},\"sentAt\":\"2026-03-01T12:00:00Z\"}}";

    /// <summary>From now on the agent's socket answers with these bytes, in Python's words.</summary>
    private async Task Answer(string bytes)
    {
        await using var host = await lab.Connect();
        await host.EnsureFolder("/var/lib/managed-servers/agent", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await host.WriteFile("/var/lib/managed-servers/agent/answer", System.Text.Encoding.UTF8.GetBytes(bytes), UnixFileMode.UserRead);
        await lab.Outside(
            """
            pkill -f '^python3 -c #hostile' || true
            cd /var/lib/managed-servers/agent && rm -f pull.sock
            nohup python3 -c '#hostile
            import socket
            listener = socket.socket(socket.AF_UNIX)
            listener.bind("pull.sock")
            listener.listen(8)
            answer = eval(open("answer").read())
            while True:
                peer = listener.accept()[0]
                try:
                    peer.recv(65536)
                    peer.sendall(answer)
                except OSError:
                    pass
                peer.close()
            ' > /dev/null 2>&1 &
            until [ -S pull.sock ]; do sleep 0.05; done
            """);
    }
}
