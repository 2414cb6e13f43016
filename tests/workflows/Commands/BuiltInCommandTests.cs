using ManagedServers.Lab;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Tests.Hosts;

namespace ManagedServers.Workflows.Tests.Commands;

/// <summary>The commands that come with the product, run on a host as runs run them.</summary>
public sealed class BuiltInCommandTests : IAsyncLifetime
{
    private const string Folder = "/var/lib/managed-servers";
    private readonly HostPool pool = TestHost.NewPool();
    private LabHost lab = null!;
    private IHost host = null!;
    private int runs;

    public async Task InitializeAsync()
    {
        // Small, for a disk without room.
        lab = await LabHost.Start(new LabOptions { Systemd = true, SmallFolders = new Dictionary<string, string> { ["/small"] = "16m" } });
        var address = HostAddress.Parse(lab.Address);
        host = await pool.Connect(new HostTarget
        {
            DisplayName = "ns1", Address = address, User = SshUser.Parse("root"), Credential = new PasswordCredential(lab.RootPassword), PinnedKey = await pool.ReadHostKey(address, SshPort.Default),
        });
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        await pool.DisposeAsync();
        await lab.DisposeAsync();
    }

    [Fact]
    public async Task Each_does_what_it_says_and_says_what_it_did()
    {
        await FirewallsLetClientsIn();
        await ResolvedLetsPort53Go();
        await OtherDnsServersAreStopped();
        await TheFolderIsBackedUp();
        await MountsAndTheNetworkAreWaitedFor();
        await DisksAreLookedAt();
        await DnsIsAsked();
        await ConnectionsAreForgotten();
        await TheClockIsSynchronised();
    }

    [Fact]
    public void All_are_plain_shell_with_a_description_and_may_be_run_again()
    {
        Assert.True(BuiltInCommands.All.Count >= 8);
        Assert.All(BuiltInCommands.All, c =>
        {
            Assert.True(c is { Repeatable: true, BuiltIn: true, Description.Length: > 20, Uses.Count: > 0 }, c.Name);
            Assert.All(c.Uses, u => Assert.True(CommandUse.TryParse(u, out _, out _), u));
            using var shell = System.Diagnostics.Process.Start("sh", ["-n", "-c", c.Text]);
            shell.WaitForExit();
            Assert.True(shell.ExitCode == 0, c.Name);
        });
    }

    private async Task FirewallsLetClientsIn()
    {
        Assert.Equal((0, "No firewall is at work that would keep anybody out.\n"), await Run("open firewall for DNS"));
        await lab.Run("iptables -A INPUT -p udp -j DROP; iptables -A INPUT -p tcp --dport 53 -j DROP");
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var (code, said) = await Run("open firewall for DNS");
            Assert.True(code == 0 && said.StartsWith("iptables lets in 53/udp 53/tcp", StringComparison.Ordinal), said);
        }

        Assert.Equal(0, (await Run("open firewall for DHCP")).ExitCode);
        Assert.Equal("-A INPUT -p udp -m udp --dport 67 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 53 -j ACCEPT\n-A INPUT -p udp -m udp --dport 53 -j ACCEPT", await lab.Run("iptables -S INPUT | grep ACCEPT$ | grep dport"));
        await lab.Run("iptables -F INPUT; ip6tables -F INPUT");

        await lab.Run("chmod +x /usr/bin/firewall-cmd /usr/sbin/ufw; systemctl unmask -q firewalld; systemctl start firewalld");
        Assert.Equal((0, "firewalld lets in 53/udp 53/tcp.\n"), await Run("open firewall for DNS"));
        Assert.Equal((0, "firewalld lets in 53/udp 53/tcp.\n"), await Run("open firewall for DNS"));
        Assert.Equal("53/tcp 53/udp\n53/tcp 53/udp", await lab.Run("for kept in '' --permanent; do echo $(firewall-cmd $kept --list-ports | tr ' ' '\n' | sort); done"));
        await lab.Run("systemctl stop firewalld");

        await lab.Run("ufw allow 22/tcp; ufw --force enable");
        Assert.Equal((0, "ufw lets in 67/udp.\n"), await Run("open firewall for DHCP"));
        Assert.Contains("67/udp                     ALLOW", await lab.Run("ufw status"), StringComparison.Ordinal);
        await lab.Run("ufw --force disable; iptables -F INPUT; iptables -P INPUT ACCEPT; ip6tables -F INPUT; ip6tables -P INPUT ACCEPT");

        await lab.Run("nft 'table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established accept; iif lo accept; tcp dport 22 accept; }; }'");
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var (code, said) = await Run("open firewall for DNS");
            Assert.True(code == 0 && said.StartsWith("nftables lets in 53/udp 53/tcp", StringComparison.Ordinal), said);
        }

        Assert.Equal("tcp dport 53 accept\nudp dport 53 accept", await lab.Run("nft list chain inet filter input | grep -o '[a-z]* dport 53 accept'"));
        await lab.Run("nft delete table inet filter");
    }

    private async Task ResolvedLetsPort53Go()
    {
        Assert.Equal((0, "systemd-resolved does not hold port 53.\n"), await Run("free port 53"));
        await lab.Run("""
            umount /etc/resolv.conf; ln -sfn /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
            systemctl unmask -q systemd-resolved; systemctl start systemd-resolved
            """);
        Assert.NotEqual("", await lab.Run("ss -Hlnu 'sport = :53'"));

        var (code, said) = await Run("free port 53");

        Assert.True(code == 0 && said.StartsWith("Port 53 is free: systemd-resolved goes on without its listener", StringComparison.Ordinal), said);
        Assert.Equal("active", await lab.Run("ss -Hlnu 'sport = :53'; systemctl is-active systemd-resolved"));
        Assert.Equal("/run/systemd/resolve/resolv.conf", await lab.Run("readlink /etc/resolv.conf"));
        Assert.Equal((0, "systemd-resolved does not hold port 53.\n"), await Run("free port 53"));
        await lab.Run("systemctl stop systemd-resolved");
    }

    private async Task ConnectionsAreForgotten()
    {
        // The kernel remembers connections where a rule asks for them.
        await lab.Run("iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; python3 -c \"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))\"");
        Assert.Contains("dport=53", await lab.Run("conntrack -L -p udp 2>/dev/null"), StringComparison.Ordinal);

        Assert.Equal((0, "Flushed.\n"), await Run("flush connections"));
        Assert.Equal((0, "Flushed.\n"), await Run("flush connections"));

        Assert.DoesNotContain("dport=53", await lab.Run("conntrack -L -p udp 2>/dev/null"), StringComparison.Ordinal);
        await lab.Run("iptables -F INPUT");
    }

    private async Task TheClockIsSynchronised()
    {
        var (without, why) = await Run("synchronise the clock");
        Assert.NotEqual(0, without);
        // They leave the clock of this machine alone (-x): one gives the time, the other takes it.
        await lab.Run("""
            mkdir -p /run/chrony
            printf 'local stratum 8\nallow\nport 11123\ncmdport 0\nbindcmdaddress /\npidfile /run/giver.pid\n' >/run/giver.conf
            printf 'server 127.0.0.1 port 11123 iburst\nport 0\n' >/run/taker.conf
            chronyd -x -u root -f /run/giver.conf; chronyd -x -u root -f /run/taker.conf
            """);
        var (code, said) = await Run("synchronise the clock");
        Assert.True(code == 0 && said.Contains("The clock is synchronised: ", StringComparison.Ordinal), $"{why}{said}");
    }

    private async Task OtherDnsServersAreStopped()
    {
        Assert.Equal((0, "No other DNS server runs as a service.\n"), await Run("stop other DNS servers"));
        await lab.Run("""
            printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/unbound.service
            systemctl daemon-reload; systemctl enable -q --now unbound
            """);
        var (code, said) = await Run("stop other DNS servers");
        Assert.True(code == 0 && said.EndsWith("Stopped and disabled: unbound. To have them back: systemctl enable --now unbound\n", StringComparison.Ordinal), said);
        Assert.Equal("inactive disabled", await lab.Run("echo $(systemctl is-active unbound) $(systemctl is-enabled unbound)"));
    }

    private async Task TheFolderIsBackedUp()
    {
        Assert.Equal((0, "There is no /srv/nothing yet: nothing to back up.\n"), await Run("back up the product's folder", folder: "/srv/nothing"));
        await lab.Run($"mkdir -p {Folder}/dns/config {Folder}/dns/run; echo zone >{Folder}/dns/config/a.zone; mkfifo {Folder}/dns/run/pipe");
        foreach (var _ in Enumerable.Range(0, 6))
        {
            Assert.Equal(0, (await Run("back up the product's folder")).ExitCode);
        }

        Assert.Equal("5", await lab.Run("ls /var/backups/managed-servers | wc -l"));
        Assert.Equal("zone", await lab.Run("tar -xOzf $(ls -1t /var/backups/managed-servers/* | head -1) managed-servers/dns/config/a.zone"));
        Assert.DoesNotContain("pipe", await lab.Run("tar -tzf $(ls -1t /var/backups/managed-servers/* | head -1)"), StringComparison.Ordinal);
    }

    private async Task MountsAndTheNetworkAreWaitedFor()
    {
        await lab.Run("mkdir -p /srv/late; echo 'tmpfs /srv/late tmpfs defaults 0 0' >>/etc/fstab");
        List<string> lines = [];
        var waiting = Run("wait for mounts", lines.Add);
        await Eventually.True(() => Task.FromResult(lines.Contains("Not mounted yet: /srv/late ")));
        await lab.Run("mount -t tmpfs tmpfs /srv/late");
        Assert.Equal(0, (await waiting).ExitCode);
        await lab.Run("umount /srv/late; sed -i '/late/d' /etc/fstab");

        Assert.Equal((0, "127.0.0.1:22 is in reach.\n"), await Run("wait for the network"));
        List<string> tries = [];
        var late = Run("wait for the network", tries.Add, api: "https://127.0.0.1:8443");
        await Eventually.True(() => Task.FromResult(tries.Any(t => t.StartsWith("127.0.0.1:8443 is not in reach yet: ", StringComparison.Ordinal))));
        await lab.Run("python3 -c 'import socket; s = socket.create_server((\"127.0.0.1\", 8443)); s.accept()' >/dev/null 2>&1 &");
        Assert.EndsWith("127.0.0.1:8443 is in reach.\n", (await late).Said, StringComparison.Ordinal);
    }

    private async Task DisksAreLookedAt()
    {
        Assert.Equal(0, (await Run("check free disk")).ExitCode);
        var (code, said) = await Run("check free disk", folder: "/small/managed-servers");
        Assert.Equal(1, code);
        Assert.Contains("At least 1024 MiB are needed", said, StringComparison.Ordinal);
    }

    private async Task DnsIsAsked()
    {
        Assert.Equal(1, (await Run("ask DNS")).ExitCode);
        await lab.Run("""
            python3 -c 'import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 5353)); open("/run/dns-up", "w")
            while True:
                question, asker = s.recvfrom(512); s.sendto(question, asker)' >/dev/null 2>&1 & echo $! >/run/dns.pid
            """.Replace("            ", "", StringComparison.Ordinal));
        await Eventually.True(async () => (await lab.TryRun("test -e /run/dns-up")).ExitCode == 0);
        Assert.Equal((0, "127.0.0.1 port 5353 answers.\n"), await Run("ask DNS"));
        await lab.Run("kill $(cat /run/dns.pid)");
    }

    private async Task<(int ExitCode, string Said)> Run(string name, Action<string>? line = null, string folder = Folder, string api = "https://127.0.0.1:22")
    {
        var key = $"test-{++runs}";
        var result = await host.RunKept(key, KeptCommand.FromOperator(BuiltInCommands.Find(name)!.Text) with
        {
            Timeout = TimeSpan.FromMinutes(1),
            Environment = new Dictionary<string, string>
            {
                ["MANAGED_SERVERS_FOLDER"] = folder, ["MANAGED_SERVERS_RUN_ID"] = $"run-{runs}", ["MANAGED_SERVERS_API"] = api, ["MANAGED_SERVERS_LISTEN"] = "0.0.0.0@5353",
            },
            OnLine = l => line?.Invoke(l.Text),
        });
        await host.ForgetKept(key);
        return (result.ExitCode, result.Stdout);
    }
}
