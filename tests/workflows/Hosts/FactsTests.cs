using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Hosts.OnHost;

namespace ManagedServers.Workflows.Tests.Hosts;

[Collection(HostCollection.Name)]
public sealed class FactsTests(TestHost lab)
{
    [Fact]
    public async Task A_host_says_what_it_is_in_one_round_trip()
    {
        await using var host = await lab.Connect();
        await lab.Outside("setsid python3 -c 'import socket,time; a=socket.socket(2,2); a.bind((\"127.0.0.9\",5353)); b=socket.socket(2,1); b.bind((\"127.0.0.9\",5354)); b.listen(); c=socket.socket(2,2); c.bind((\"0.0.0.0\",0)); c.connect((\"127.0.0.9\",5353)); time.sleep(612)' >/dev/null 2>&1 &");
        await Eventually.True(async () => (await lab.Outside("cat /proc/net/tcp")).Contains(":14EA ", StringComparison.Ordinal));

        var facts = await host.Facts(["/", "/var/lib/docker", "/no/such/folder"]);

        Assert.Equal(("debian", "12", "x86_64", 0), (facts.OsId, facts.OsVersion, facts.Architecture, facts.UserId));
        Assert.Matches("^3\\.[0-9]+\\.[0-9]+$", facts.PythonVersion);
        Assert.StartsWith("20.10.", facts.DockerClientVersion, StringComparison.Ordinal);
        Assert.StartsWith("20.10.", facts.DockerServerVersion, StringComparison.Ordinal);
        Assert.Null(facts.DockerProblem);
        Assert.Equal(["/", "/var/lib/docker", "/no/such/folder"], facts.Disks.Select(d => d.Path));
        Assert.Equal(["/", "/var/lib/docker", "/"], facts.Disks.Select(d => d.Mount));
        Assert.All(facts.Disks, d => Assert.InRange(d.FreeBytes, 1, d.TotalBytes));
        Assert.InRange(facts.MemoryAvailableBytes, 1, facts.MemoryTotalBytes);
        Assert.Contains(new ListeningPort("tcp", "0.0.0.0", 22, "sshd"), facts.Listening);
        Assert.Contains(new ListeningPort("udp", "127.0.0.9", 5353, "python3"), facts.Listening);
        Assert.Contains(new ListeningPort("tcp", "127.0.0.9", 5354, "python3"), facts.Listening);
        Assert.Contains(lab.Address.Text, facts.Addresses);
        Assert.Contains("127.0.0.1", facts.Addresses);
        Assert.InRange(facts.ClockOffset, TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(2));
        Assert.False(facts.HasSystemd);
        Assert.Null(facts.SELinux);
        Assert.Null(facts.Firewall);
        Assert.False(facts.DockerIsPodman);
        Assert.Equal(OsFamily.Debian, facts.Family);
        await lab.Outside("pkill -f 'sleep[(]612'");
    }

    [Fact]
    public async Task What_a_login_may_not_see_is_left_out()
    {
        await using var host = await lab.Connect("odd");

        var facts = await host.Facts(["/"]);

        Assert.NotEqual(0, facts.UserId);
        Assert.Null(facts.DockerServerVersion);
        Assert.Contains("permission denied", facts.DockerProblem, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(new ListeningPort("tcp", "0.0.0.0", 22, null), facts.Listening);
    }

    [Fact]
    public void A_Red_Hat_with_SELinux_and_without_Docker_and_Python_is_understood()
    {
        var facts = HostFactsReader.Parse("""
            os.PRETTY_NAME "Rocky Linux 9.4 (Blue Onyx)"
            os.ID "rocky"
            os.ID_LIKE "rhel centos fedora"
            os.VERSION_ID "9.4"
            arch aarch64
            kernel 5.14.0
            host ns1.example.org
            uid 1000
            systemd 1
            selinux 1
            firewall firewalld
            opened cockpit dhcpv6-client ssh 8443/tcp
            port udp6 B80D0120000000000000000001000000:0035 4242
            port tcp6 00000000000000000000000000000000:01BB 7
            port tcp nonsense 8
            owner 4242 named
            address 192.0.2.1
            address nonsense
            address6 20010db8000000000000000000000001
            address6 xyz
            clock 1750000000.500000000
            """, DateTimeOffset.FromUnixTimeSeconds(1_750_000_000), []);

        Assert.Equal(("rocky", "rhel centos fedora", "9.4", "aarch64"), (facts.OsId, facts.OsLike, facts.OsVersion, facts.Architecture));
        Assert.Equal(("enforcing", "firewalld", true, OsFamily.RedHat), (facts.SELinux, facts.Firewall, facts.HasSystemd, facts.Family));
        Assert.Equal(["cockpit", "dhcpv6-client", "ssh", "8443/tcp"], facts.FirewallOpens);
        Assert.Null(facts.PythonVersion);
        Assert.Null(facts.DockerClientVersion);
        Assert.Equal([new("udp", "2001:db8::1", 53, "named"), new("tcp", "::", 443, null)], facts.Listening);
        Assert.Equal(["192.0.2.1", "2001:db8::1"], facts.Addresses);
        Assert.Equal(TimeSpan.FromMilliseconds(500), facts.ClockOffset);
    }

    [Fact]
    public void Whatever_a_host_answers_is_only_parsed()
    {
        var random = new Random(11);
        string[] words = ["os.ID", "address", "address6", "port", "owner", "disk", "clock", "uid", "docker", "udp", "tcp6", "00000000:0035", "FFFF", "9e999", "-1", "\t", " ", "\n", "\0", "é", "x", "1e400", "$(id)", "99999999999999999999"];
        for (var i = 0; i < 10_000; i++)
        {
            var text = string.Join(random.Next(2) == 0 ? " " : "\n", Enumerable.Range(0, random.Next(30)).Select(_ => words[random.Next(words.Length)]));
            _ = HostFactsReader.Parse(text, DateTimeOffset.UnixEpoch, ["/"]);
        }
    }

    [Fact]
    public async Task The_product_is_reached_when_its_authority_and_fixed_name_are_right()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var server = new TlsAnswer("managed-servers", key);
        using var impostor = new TlsAnswer("somebody-else", key);
        await using var host = await lab.Connect();

        Assert.Equal(new Reachability(true, 401, null), await host.CanReach(new Uri($"https://{lab.Gateway}:{server.Port}/readyz"), server.Pem));
        var wrongName = await host.CanReach(new Uri($"https://{lab.Gateway}:{impostor.Port}/"), impostor.Pem);
        Assert.False(wrongName.Reached);
        Assert.Contains("managed-servers", wrongName.Why, StringComparison.Ordinal);
        var wrongAuthority = await host.CanReach(new Uri($"https://{lab.Gateway}:{server.Port}/"), impostor.Pem);
        Assert.Contains("CERTIFICATE_VERIFY_FAILED", wrongAuthority.Why, StringComparison.Ordinal);
        Assert.Contains("refused", (await host.CanReach(new Uri($"https://{lab.Address}:1/"), server.Pem)).Why, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_missing_Python_is_told_as_such()
    {
        await using var host = await lab.Connect();
        await lab.Outside("mv /usr/bin/python3 /usr/bin/python3.away");
        try
        {
            Assert.Null((await host.Facts([])).PythonVersion);
            var problem = await Assert.ThrowsAsync<HostRejectedException>(() => host.CanReach(new Uri("https://127.0.0.1/"), ""));
            Assert.Equal(HostProblem.PythonMissing, problem.Code);
        }
        finally
        {
            await lab.Outside("mv /usr/bin/python3.away /usr/bin/python3");
        }
    }

    /// <summary>Answers 401 over TLS to everybody, with a certificate that is its own authority.</summary>
    private sealed class TlsAnswer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Any, 0);
        private readonly X509Certificate2 certificate;

        public TlsAnswer(string name, ECDsa key)
        {
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
            listener.Start();
            _ = Serve();
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public string Pem => certificate.ExportCertificatePem();

        public void Dispose()
        {
            listener.Dispose();
            certificate.Dispose();
        }

        private async Task Serve()
        {
            while (true)
            {
                try
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    await using var tls = new SslStream(client.GetStream());
                    await tls.AuthenticateAsServerAsync(certificate);
                    _ = await tls.ReadAsync(new byte[4096]);
                    await tls.WriteAsync("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
                }
                catch (Exception failure) when (failure is IOException or AuthenticationException)
                {
                    // The client did not like what it saw.
                }
            }
        }
    }
}
