using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using ManagedServers.Lab;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Time.Testing;

namespace ManagedServers.Workflows.Tests.Hosts;

/// <summary>A host behind two jump hosts.</summary>
public sealed class RouteTests(RouteTests.Jumps lab) : IClassFixture<RouteTests.Jumps>, IAsyncLifetime
{
    private readonly HostPool pool = TestHost.NewPool(new HostsOptions { ConnectTimeout = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromSeconds(5) });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await pool.DisposeAsync();

    [Fact]
    public async Task A_host_that_this_machine_cannot_reach_is_used_through_two_jump_hosts_with_one_connection_each()
    {
        Assert.DoesNotContain(NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses),
            a => a.Address.AddressFamily == AddressFamily.InterNetwork && a.Address.ToString().StartsWith(lab.Hosts.Target.Address[..(lab.Hosts.Target.Address.LastIndexOf('.') + 1)], StringComparison.Ordinal));

        var hosts = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => pool.Connect(lab.Target())));
        var said = await Task.WhenAll(hosts.Select(h => h.Run(["hostname"])));

        Assert.All(said, s => Assert.Equal(lab.Hosts.Target.Name + "\n", s.Stdout));
        Assert.Equal((3, 3), (pool.OpenedInAll, pool.OpenNow));
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Docker_and_large_files_go_through_the_jump_hosts()
    {
        await using var host = await pool.Connect(lab.Target());
        var content = new byte[5 << 20];
        new Random(1).NextBytes(content);

        Assert.True(await host.WriteFile("/root/large", content, UnixFileMode.UserRead));
        Assert.Equal(content, await host.ReadFile("/root/large", content.Length));
        Assert.NotNull(await host.Docker.Version());
    }

    [Fact]
    public async Task Hops_are_shared_by_the_hosts_behind_them_and_closed_after_the_last()
    {
        await using var idle = TestHost.NewPool(new HostsOptions { IdleTimeout = TimeSpan.FromMilliseconds(200) });
        await using (await idle.Connect(lab.Second()))
        await using (await idle.Connect(lab.Target()))
        await using (await idle.Connect(lab.Target(new PasswordCredential("secret"), "plain")))
        {
            Assert.Equal(4, idle.OpenNow);
        }

        await Eventually.True(() => idle.OpenNow == 0);
    }

    [Fact]
    public async Task Nobody_else_on_this_machine_gets_through_the_port_on_loopback_and_this_process_once()
    {
        var hop = lab.Second();
        await using var way = await pool.Way(hop, lab.Target().Address, SshPort.Default, "ns1", CancellationToken.None);
        var entrance = Assert.IsType<IPEndPoint>(way.Dial);
        Assert.Equal(IPAddress.Loopback, entrance.Address);

        // A process of its own, as another account's would be.
        using var other = Process.Start(new ProcessStartInfo("bash", ["-c", $"exec 3<>/dev/tcp/127.0.0.1/{entrance.Port} && timeout 10 head -c 4 <&3"]) { RedirectStandardOutput = true })!;
        Assert.Equal("", await other.StandardOutput.ReadToEndAsync());
        Assert.Equal("SSH-", await Greeting(entrance));
        Assert.Equal("", await Greeting(entrance));
    }

    [Fact]
    public async Task A_jump_host_that_allows_no_sessions_at_all_is_kept_while_it_answers()
    {
        await lab.Hosts.Second.Run("useradd -m bare; echo bare:secret | chpasswd; printf 'Match User bare\\n  MaxSessions 0\\n' >> /etc/ssh/sshd_config; pkill -HUP -o sshd");
        var hop = lab.Second() with { User = SshUser.Parse("bare"), Credential = new PasswordCredential("secret") };
        var time = new FakeTimeProvider();
        await using var timed = TestHost.NewPool(new HostsOptions { PulseInterval = TimeSpan.FromDays(1) }, time);
        await (await timed.Connect(hop)).DisposeAsync();

        time.Advance(TimeSpan.FromSeconds(10));
        await using var host = await timed.Connect(lab.Target() with { Via = hop });

        (await host.Run(["true"])).Check();
        Assert.Equal(3, timed.OpenedInAll);
    }

    [Fact]
    public async Task Keys_of_every_kind_with_and_without_passphrase_log_in_on_hops_and_behind_them()
    {
        foreach (var credential in lab.Keys)
        {
            await using var one = TestHost.NewPool();
            await using var host = await one.Connect(lab.Target(credential, jump: credential));
            (await host.Run(["true"])).Check();
        }
    }

    [Fact]
    public async Task A_host_key_is_read_through_the_hops_before_it()
    {
        var printed = await lab.Hosts.Target.Run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");

        var key = await pool.ReadHostKey(lab.Target().Address, SshPort.Default, lab.Second());

        Assert.Contains($" {key.Fingerprint} ", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_is_told_with_the_hop_at_which_it_failed()
    {
        var other = new HostKey("ssh-ed25519", "SHA256:" + new string('A', 43));
        var changed = await Assert.ThrowsAsync<HostRejectedException>(() => pool.Connect(lab.Target() with { Via = lab.Second() with { PinnedKey = other } }));
        Assert.Equal((HostProblem.HostKeyChanged, other), (changed.Code, changed.Expected));
        Assert.StartsWith($"The host key of hop 2 of 2 on route dmz ({lab.Hosts.SecondAddress}:22) has changed", changed.Message, StringComparison.Ordinal);

        var wrong = await Assert.ThrowsAsync<HostRejectedException>(() => pool.Connect(lab.Target() with { Via = lab.Second() with { Credential = new PasswordCredential("wrong") } }));
        Assert.StartsWith($"hop 2 of 2 on route dmz ({lab.Hosts.SecondAddress}:22) refused the password of user root", wrong.Message, StringComparison.Ordinal);

        var closed = await Assert.ThrowsAsync<HostUnavailableException>(() => pool.Connect(lab.Target() with { Port = SshPort.Parse(2) }));
        Assert.Equal(HostProblem.ConnectionRefused, closed.Code);
        Assert.Contains($"refused the connection from hop 2 of 2 on route dmz ({lab.Hosts.SecondAddress}:22)", closed.Message, StringComparison.Ordinal);

        var unknown = await Assert.ThrowsAnyAsync<Exception>(() => pool.Connect(lab.Target() with { Address = HostAddress.Parse("no-such-host.invalid") }));
        Assert.Equal(HostProblem.NameUnknown, Assert.IsAssignableFrom<IHostProblem>(unknown).Code);
        Assert.Contains("hop 2 of 2", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_was_opened_for_a_hop_of_a_route_is_told_of_by_the_name_of_who_uses_it()
    {
        await (await pool.Connect(lab.Target())).DisposeAsync();
        var server = lab.Second().Via! with { DisplayName = "ns7" };
        await using var host = await pool.Connect(server);
        Assert.Equal(3, pool.OpenedInAll);
        var line = new TaskCompletionSource();
        var running = host.Run(["sh", "-c", "echo $$; sleep 612"], new CommandOptions { OnLine = _ => line.TrySetResult() });
        await line.Task;
        await Cut(lab.Hosts.First);

        Assert.StartsWith($"The SSH connection to {server} was lost", (await Assert.ThrowsAsync<HostUnavailableException>(() => running)).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hop 1", (await Assert.ThrowsAsync<HostUnavailableException>(() => host.Docker.Version())).Message, StringComparison.Ordinal);
        await (await pool.Connect(lab.Target())).DisposeAsync();
        var way = lab.Second() with { DisplayName = "hop 2 of 3 on route inner" };
        var closed = await Assert.ThrowsAsync<HostUnavailableException>(() => pool.Connect(lab.Target() with { Port = SshPort.Parse(2), Via = way }));
        Assert.Contains($"refused the connection from {way}", closed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_jump_host_that_forbids_forwarding_is_named_with_what_to_allow()
    {
        await lab.Hosts.Second.Run("useradd -m fixed; echo fixed:secret | chpasswd; printf 'Match User fixed\\n  AllowTcpForwarding no\\n' >> /etc/ssh/sshd_config; pkill -HUP -o sshd");

        var hop = lab.Second() with { User = SshUser.Parse("fixed"), Credential = new PasswordCredential("secret") };
        var problem = await Assert.ThrowsAsync<HostRejectedException>(() => pool.Connect(lab.Target() with { Via = hop }));

        Assert.Equal(HostProblem.ForwardingRefused, problem.Code);
        Assert.Contains("does not let user fixed connect on to", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_jump_host_is_told_and_the_next_lease_goes_through_a_new_connection()
    {
        await using var host = await pool.Connect(lab.Target());
        var line = new TaskCompletionSource();
        var running = host.Run(["sh", "-c", "echo $$; sleep 611"], new CommandOptions { OnLine = _ => line.TrySetResult() });
        await line.Task;

        await Cut(lab.Hosts.First);

        Assert.Equal(HostProblem.ConnectionLost, (await Assert.ThrowsAsync<HostUnavailableException>(() => running)).Code);
        await using var again = await pool.Connect(lab.Target());
        (await again.Run(["true"])).Check();
    }

    [Fact]
    public async Task A_jump_host_that_fell_silent_is_named_and_does_not_stay_in_the_way()
    {
        await (await pool.Connect(lab.Second())).DisposeAsync();
        await lab.Hosts.First.Run("iptables -I INPUT -p tcp --dport 22 -j DROP");
        try
        {
            var problem = await Assert.ThrowsAsync<HostUnavailableException>(() => pool.Connect(lab.Target() with { Port = SshPort.Parse(22) }));
            Assert.Contains("hop 1 of 2 on route dmz", problem.Message, StringComparison.Ordinal);
        }
        finally
        {
            await lab.Hosts.First.Run("iptables -D INPUT -p tcp --dport 22 -j DROP");
        }

        await using var host = await pool.Connect(lab.Target());
        (await host.Run(["true"])).Check();
    }

    private static Task Cut(LabHost jump) => jump.Run("pkill -9 -f '^sshd: [a-z]*@' || true; pkill -9 -f '^sshd: root' || true");

    private static async Task<string> Greeting(IPEndPoint entrance)
    {
        using var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(entrance);
        var buffer = new byte[4];
        var read = await client.GetStream().ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        return Encoding.ASCII.GetString(buffer, 0, read);
    }

    /// <summary>Two jump hosts and a host behind them, whose root accepts every kind of key.</summary>
    public sealed class Jumps : IAsyncLifetime
    {
        private const string Passphrase = "open sesame";
        private HostKey first = null!, second = null!, third = null!;

        public LabJumps Hosts { get; private set; } = null!;

        public IReadOnlyList<PrivateKeyCredential> Keys { get; private set; } = [];

        public HostTarget Second(HostCredential? credential = null) => Hop(2, Hosts.SecondAddress, Hosts.Second, second, credential) with { Via = Hop(1, Hosts.First.Address, Hosts.First, first, credential) };

        public HostTarget Target(HostCredential? credential = null, string user = "root", HostCredential? jump = null) => new()
        {
            DisplayName = "ns1", Address = HostAddress.Parse(Hosts.Target.Address), User = SshUser.Parse(user),
            Credential = credential ?? new PasswordCredential(Hosts.Target.RootPassword), PinnedKey = third, Via = Second(jump),
        };

        public async Task InitializeAsync()
        {
            var folder = Directory.CreateTempSubdirectory().FullName;
            List<PrivateKeyCredential> keys = [];
            foreach (var kind in new[] { "ed25519", "rsa", "ecdsa" })
            {
                keys.Add(new PrivateKeyCredential(await TestHost.MakeKey($"{folder}/{kind}", "-t", kind, "-N", "")));
                keys.Add(new PrivateKeyCredential(await TestHost.MakeKey($"{folder}/{kind}-locked", "-t", kind, "-N", Passphrase), Passphrase));
            }

            Keys = keys;
            var authorize = $"mkdir -m 700 -p /root/.ssh\ncat >/root/.ssh/authorized_keys <<'END'\n{string.Concat(Directory.GetFiles(folder, "*.pub").Select(File.ReadAllText)).Trim()}\nEND";
            Directory.Delete(folder, true);
            Hosts = await LabJumps.Start(new LabOptions { Setup = authorize }, new LabOptions { Setup = authorize, Users = [new LabUser { Name = "plain", Password = "secret" }] });
            await using var pool = TestHost.NewPool();
            first = await pool.ReadHostKey(HostAddress.Parse(Hosts.First.Address), SshPort.Default);
            second = await pool.ReadHostKey(HostAddress.Parse(Hosts.SecondAddress), SshPort.Default, Hop(1, Hosts.First.Address, Hosts.First, first, null));
            third = await pool.ReadHostKey(HostAddress.Parse(Hosts.Target.Address), SshPort.Default, Second());
        }

        public async Task DisposeAsync() => await Hosts.DisposeAsync();

        private static HostTarget Hop(int number, string address, LabHost host, HostKey key, HostCredential? credential) => new()
        {
            DisplayName = $"hop {number} of 2 on route dmz", Address = HostAddress.Parse(address), User = SshUser.Root, Credential = credential ?? new PasswordCredential(host.RootPassword), PinnedKey = key,
        };
    }
}
