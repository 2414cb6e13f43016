using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>
/// Hosts of the families that the product knows. The lab's hosts are Debian; these present the facts of another system (its os-release, where its Python is,
/// its firewall's command), which is what the product looks at.
/// </summary>
public sealed class FamilyTests
{
    private const string FirewallFix = "firewall-cmd --permanent --add-service=dns; firewall-cmd --reload";

    private const string RockyLinux8 =
        """
        rm /etc/os-release
        printf 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.10"\nPRETTY_NAME="Rocky Linux 8.10 (Green Obsidian)"\n' > /etc/os-release
        mkdir -p /usr/libexec /etc/selinux
        ln -s /usr/bin/python3.11 /usr/libexec/platform-python; rm /usr/bin/python3
        echo SELINUX=disabled > /etc/selinux/config
        echo cockpit ssh > /etc/let-in
        cat > /usr/bin/firewall-cmd <<'END'
        #!/bin/sh
        case "$*" in
            --state) echo running ;;
            --list-services) cat /etc/let-in ;;
            --list-ports) echo 8080-8090/tcp ;;
            '--permanent --add-service=dns') echo cockpit dns ssh > /etc/let-in.new ;;
            --reload) mv /etc/let-in.new /etc/let-in ;;
            *) exit 2 ;;
        esac
        END
        chmod 755 /usr/bin/firewall-cmd
        """;

    private const string Ubuntu24 =
        """
        rm /etc/os-release
        printf 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.3 LTS"\n' > /etc/os-release
        cp /usr/bin/python3.11 /usr/lib/systemd/systemd-resolve
        printf '#!/bin/sh\necho "Status: active"; echo; echo "To    Action  From"; echo "22/tcp    ALLOW    Anywhere"; echo "53    ALLOW    Anywhere"\n' > /usr/sbin/ufw
        chmod 755 /usr/sbin/ufw
        """;

    [Fact]
    public async Task A_Red_Hat_with_only_the_systems_own_Python_is_installed_once_a_pre_command_has_opened_its_firewall()
    {
        await using var host = await RegisteredHost.Start(new LabOptions { Setup = RockyLinux8 });
        var before = await host.Footprint();

        Assert.Equal("redHat", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("operatingSystem").GetString());
        using (var admin = host.Product.Admin())
        {
            var (status, problem) = await admin.PatchAsJsonAsync("/api/v2/pvservers/ns1", new { operatingSystem = "debian" }).Answer();
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains("says that it is Rocky Linux 8.10", problem.GetProperty("errors").GetProperty("operatingSystem")[0].GetString(), StringComparison.Ordinal);
        }

        var checks = await Checks(host);
        Assert.Equal("Rocky Linux 8.10 (Green Obsidian)", checks["system"].GetProperty("found").GetString());
        Assert.Equal("disabled", checks["selinux"].GetProperty("found").GetString());
        Assert.True(checks["python"].GetProperty("ok").GetBoolean());
        Assert.Equal("firewalld keeps out UDP port 53 and TCP port 53", checks["firewall"].GetProperty("found").GetString());
        Assert.Equal(FirewallFix, checks["firewall"].GetProperty("fix").GetString());
        var refused = await host.InstallAndWait(RegisteredHost.OneZone());
        Assert.True(RegisteredHost.State(refused) == "failed", RegisteredHost.Story(refused));
        Assert.Contains(FirewallFix, RegisteredHost.Reason(refused), StringComparison.Ordinal);
        Assert.Equal(before, await host.Footprint());

        var useless = await host.InstallAndWait(RegisteredHost.OneZone(pre: [new { name = "does not help", command = "true" }]));
        Assert.True(RegisteredHost.State(useless) == "failed", RegisteredHost.Story(useless));
        Assert.Contains(FirewallFix, RegisteredHost.Step(useless, "preflight-again").GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, await host.Footprint());

        var installed = await host.InstallAndWait(RegisteredHost.OneZone(pre: [new { name = "open the firewall", command = FirewallFix }]));
        Assert.True(RegisteredHost.State(installed) == "succeeded", RegisteredHost.Story(installed));
        Assert.Equal("192.0.2.2", Assert.Single((await host.Ask("www.example.org", QueryType.A)).Answers.ARecords()).Address.ToString());
        Assert.Contains("platform-python", await host.Lab.Run("pgrep -fa 'agent[.]py'"), StringComparison.Ordinal);
        var binds = await host.Lab.Run("docker inspect --format '{{range .HostConfig.Binds}}{{println .}}{{end}}' managed-servers-dns managed-servers-monitor");
        Assert.All(binds.Split('\n', StringSplitOptions.RemoveEmptyEntries), bind => Assert.Matches(":(ro,)?z$", bind));
    }

    [Fact]
    public async Task On_an_Ubuntu_whose_resolver_holds_port_53_the_host_says_how_it_is_freed_and_DNS_may_have_its_own_address()
    {
        await using var host = await RegisteredHost.Start(new LabOptions { Setup = Ubuntu24 });
        await host.Lab.Run(
            "setsid /usr/lib/systemd/systemd-resolve -c 'import socket,time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"127.0.0.53\", 53)); open(\"/run/taken\", \"w\"); time.sleep(600)' >/dev/null 2>&1 &");
        await ProductProcess.Until(async () => (await host.Lab.TryRun("test -e /run/taken")).ExitCode == 0, "the resolver listens");

        var checks = await Checks(host);
        Assert.Equal("Ubuntu 24.04.3 LTS", checks["system"].GetProperty("found").GetString());
        Assert.Equal("ufw lets DNS in", checks["firewall"].GetProperty("found").GetString());
        Assert.Contains("taken by systemd-resolve", checks["port 53"].GetProperty("found").GetString(), StringComparison.Ordinal);
        Assert.Contains("DNSStubListener=no", checks["port 53"].GetProperty("fix").GetString(), StringComparison.Ordinal);
        Assert.Contains($"let DNS listen on {host.Lab.Address} only", checks["port 53"].GetProperty("fix").GetString(), StringComparison.Ordinal);

        var installed = await host.InstallAndWait(new
        {
            components = new[] { "dns", "monitor" }, zones = new[] { new { name = "example.org", file = RegisteredHost.Zone } }, listen = new[] { new { address = host.Lab.Address, port = 53 } },
        });
        Assert.True(RegisteredHost.State(installed) == "succeeded", RegisteredHost.Story(installed));
        Assert.NotEmpty((await host.Ask("www.example.org", QueryType.A)).Answers);
        Assert.True((await Checks(host))["port 53"].GetProperty("ok").GetBoolean());
    }

    private static async Task<Dictionary<string, JsonElement>> Checks(RegisteredHost host) =>
        (await host.Post("/api/v2/pvservers/ns1/test", new { })).GetProperty("checks").EnumerateArray().ToDictionary(c => c.GetProperty("name").GetString()!);
}
