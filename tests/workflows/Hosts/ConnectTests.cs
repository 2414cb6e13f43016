using System.Net;
using System.Net.Sockets;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class ConnectTests(TestHost lab)
{
    [Fact]
    public async Task The_host_key_is_read_as_OpenSSH_prints_it_and_nobody_logs_in()
    {
        var printed = await lab.Outside("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");

        var key = await lab.Pool.ReadHostKey(lab.Address, SshPort.Default);

        Assert.Equal("ssh-ed25519", key.Algorithm);
        Assert.Contains($" {key.Fingerprint} ", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_host_key_stops_and_shows_its_fingerprint()
    {
        var problem = await Rejected(lab.Target() with { PinnedKey = null });

        Assert.Equal(HostProblem.HostKeyUnknown, problem.Code);
        Assert.Equal(lab.Key, problem.Presented);
        Assert.Contains(lab.Key.Fingerprint, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_host_key_stops_with_both_fingerprints_shown()
    {
        var pinned = new HostKey("ssh-ed25519", "SHA256:" + new string('A', 43));

        var problem = await Rejected(lab.Target() with { PinnedKey = pinned });

        Assert.Equal(HostProblem.HostKeyChanged, problem.Code);
        Assert.Equal((pinned, lab.Key), (problem.Expected, problem.Presented));
        Assert.Contains(pinned.Fingerprint, problem.Message, StringComparison.Ordinal);
        Assert.Contains(lab.Key.Fingerprint, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pinned_key_of_another_kind_is_asked_for()
    {
        var line = (await lab.Outside("ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub")).Split(' ');
        await using var pool = TestHost.NewPool();

        await using var host = await pool.Connect(lab.Target() with { PinnedKey = new HostKey("ecdsa-sha2-nistp256", line[1]) });

        (await host.Run(["true"])).Check();
    }

    [Fact]
    public async Task A_key_of_a_kind_that_the_host_no_longer_has_counts_as_changed()
    {
        var problem = await Rejected(lab.Target() with { PinnedKey = new HostKey("ssh-rsa", "SHA256:" + new string('B', 43)) });

        Assert.Equal(HostProblem.HostKeyChanged, problem.Code);
    }

    [Fact]
    public async Task A_wrong_password_is_told_without_showing_it()
    {
        var problem = await Rejected(lab.Target(new PasswordCredential("wrong-s3cret")));

        Assert.Equal((HostProblem.AuthenticationFailed, "password"), (problem.Code, problem.Field));
        Assert.Contains($"ns1 ({lab.Address}:22) refused the password of user root. The user name or the password may be wrong", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-s3cret", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_the_host_does_not_know_is_refused()
    {
        var problem = await Rejected(lab.Target(new PrivateKeyCredential(lab.PlainKey), "plain"));

        Assert.Equal((HostProblem.AuthenticationFailed, "privateKey"), (problem.Code, problem.Field));
    }

    [Fact]
    public async Task Keys_with_and_without_passphrase_log_in()
    {
        foreach (var credential in new[] { new PrivateKeyCredential(lab.PlainKey), new(lab.EncryptedKey, TestHost.Passphrase), new(lab.EncryptedPem.Replace("\n", "\r\n", StringComparison.Ordinal), TestHost.Passphrase) })
        {
            await using var pool = TestHost.NewPool();
            await using var host = await pool.Connect(lab.Target(credential));
            Assert.Equal("0\n", (await host.Run(["id", "-u"])).Stdout);
        }
    }

    [Fact]
    public async Task Nobody_listening_is_a_refused_connection()
    {
        var problem = await Unavailable(lab.Target() with { Port = SshPort.Parse(2) });

        Assert.Equal(HostProblem.ConnectionRefused, problem.Code);
        Assert.Contains($"ns1 ({lab.Address}:2) refused the connection", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_takes_a_connection_and_says_nothing_is_told_apart_from_a_host_that_is_not_there()
    {
        // Listens and says nothing.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        var problem = await Unavailable(At((IPEndPoint)silent.LocalEndpoint));

        Assert.Equal(HostProblem.NotSsh, problem.Code);
        Assert.Contains("took the connection, and did not speak SSH within 1 s. Correct the port", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_whose_packets_are_dropped_is_unreachable_and_comes_back()
    {
        await lab.Outside("iptables -I INPUT -p tcp --dport 22 -j DROP");
        try
        {
            Assert.Equal(HostProblem.Unreachable, (await Unavailable(lab.Target())).Code);
        }
        finally
        {
            await lab.Outside("iptables -D INPUT -p tcp --dport 22 -j DROP");
        }

        await using var host = await lab.Connect();
    }

    [Fact]
    public async Task What_is_no_SSH_server_is_told_as_such()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        _ = Task.Run(async () =>
        {
            using var client = await other.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(new byte[10_000]);
        });

        var problem = await Rejected(At((IPEndPoint)other.LocalEndpoint));

        Assert.Equal((HostProblem.NotSsh, "sshPort"), (problem.Code, problem.Field));
    }

    [Fact]
    public async Task A_server_that_hangs_up_may_do_better_next_time()
    {
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        _ = Task.Run(async () => (await busy.AcceptTcpClientAsync()).Dispose());

        Assert.Equal(HostProblem.ConnectionLost, (await Unavailable(At((IPEndPoint)busy.LocalEndpoint))).Code);
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_told_as_such()
    {
        await using var pool = TestHost.NewPool();

        var problem = await Assert.ThrowsAnyAsync<Exception>(() => pool.Connect(lab.Target() with { Address = HostAddress.Parse("no-such-host.invalid") }));

        // Where this machine has no name server, nobody can know that it does not exist.
        Assert.Equal(HostProblem.NameUnknown, Assert.IsAssignableFrom<IHostProblem>(problem).Code);
        Assert.Contains("no-such-host.invalid", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Giving_up_does_not_wait_for_the_time_out()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var pool = TestHost.NewPool(new HostsOptions { ConnectTimeout = TimeSpan.FromSeconds(20) });
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.Connect(At((IPEndPoint)silent.LocalEndpoint), stop.Token).WaitAsync(TimeSpan.FromSeconds(5)));
    }

    private HostTarget At(IPEndPoint end) => lab.Target() with { Address = HostAddress.Parse("127.0.0.1"), Port = SshPort.Parse(end.Port) };

    private static async Task<HostRejectedException> Rejected(HostTarget target)
    {
        await using var pool = TestHost.NewPool(new HostsOptions { ConnectTimeout = TimeSpan.FromSeconds(5) });
        return await Assert.ThrowsAsync<HostRejectedException>(() => pool.Connect(target));
    }

    private static async Task<HostUnavailableException> Unavailable(HostTarget target)
    {
        await using var pool = TestHost.NewPool(new HostsOptions { ConnectTimeout = TimeSpan.FromSeconds(1) });
        return await Assert.ThrowsAsync<HostUnavailableException>(() => pool.Connect(target));
    }
}
