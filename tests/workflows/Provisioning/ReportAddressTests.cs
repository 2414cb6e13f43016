using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Tests.Provisioning;

/// <summary>What a host is told about where the product is.</summary>
public sealed class ReportAddressTests
{
    private static readonly Uri Configured = new("https://product.example:9443");

    [Theory]
    [InlineData("127.0.0.1", "https://127.0.0.1:8443/")]
    [InlineData("::1", "https://[::1]:8443/")]
    public async Task Without_a_configured_one_it_is_the_address_from_which_the_product_reaches_the_host(string host, string address) =>
        Assert.Equal(address, (await new ReportAddress(null, 8443).For(Server(host))).ToString());

    [Fact]
    public async Task A_host_whose_name_is_unknown_is_told_this_machines_name() =>
        Assert.Equal(new Uri($"https://{Environment.MachineName}:8443"), await new ReportAddress(null, 8443).For(Server("no-such-host.invalid")));

    [Fact]
    public async Task The_servers_own_goes_before_the_configured_one()
    {
        Assert.Equal(Configured, await new ReportAddress(Configured, 8443).For(Server("127.0.0.1")));
        Assert.Equal(new Uri("https://192.0.2.1:1"), await new ReportAddress(Configured, 8443).For(Server("127.0.0.1") with { ApiAddress = "https://192.0.2.1:1" }));
    }

    [Fact]
    public async Task Without_any_address_somebody_has_to_say_it()
    {
        var refused = await Assert.ThrowsAsync<ServerConflictException>(() => new ReportAddress(null, 8443).For(Server("127.0.0.1") with { Address = null }));
        Assert.Contains("msctl servers edit ns1 --api-address", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Configured, await new ReportAddress(Configured, 8443).For(Server("127.0.0.1") with { Address = null }));
    }

    private static Server Server(string address) => new()
    {
        Id = Guid.NewGuid(), Name = "ns1", Address = address, SshPort = 22, SshUser = "root", Authentication = Authentication.Password,
        HostKey = new HostKey("ssh-ed25519", "SHA256:x"), Login = HostLogin.Root, CreatedAt = TimeProvider.System.GetUtcNow(), Components = [],
    };
}
