using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Tests.Servers;

public sealed class ApiAddressTests
{
    [Theory]
    [InlineData("https://192.0.2.1:8443", "https://192.0.2.1:8443/")]
    [InlineData("https://product.example/", "https://product.example/")]
    [InlineData("HTTPS://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443/")]
    public void A_host_with_or_without_a_port_is_an_address(string text, string means)
    {
        Assert.True(ApiAddresses.TryParse(text, out var address));
        Assert.Equal(means, address.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("192.0.2.1")]
    [InlineData("http://192.0.2.1")]
    [InlineData("https://")]
    [InlineData("https://user@192.0.2.1")]
    [InlineData("https://192.0.2.1/path")]
    [InlineData("https://192.0.2.1//")]
    [InlineData("https://192.0.2.1?a=b")]
    [InlineData("https://192.0.2.1#a")]
    [InlineData("https://192.0.2.1:0")]
    [InlineData("https://192.0.2.1:99999")]
    [InlineData("https://192.0.2.1;reboot")]
    [InlineData("https://192.0.2.1\t")]
    [InlineData(" https://192.0.2.1")]
    [InlineData("https:\\\\192.0.2.1")]
    [InlineData("https://prodüct.example")]
    [InlineData("https://-product.example")]
    [InlineData("https://[fe80::1%25eth0]")]
    public void Anything_more_or_less_is_none(string? text) => Assert.False(ApiAddresses.TryParse(text, out _));
}
