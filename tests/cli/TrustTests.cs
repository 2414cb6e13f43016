using System.Net;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Whom msctl talks to.</summary>
public sealed class TrustTests : IDisposable
{
    private const string Me = """{"name":"admin","groups":[]}""";
    private readonly Msctl msctl = new();

    public void Dispose() => msctl.Dispose();

    [Theory]
    [InlineData("managed-servers", false, true)]
    [InlineData("some-other-name", true, true)]
    [InlineData("some-other-name", false, false)]
    public async Task A_certificate_must_be_made_out_to_the_product_or_to_the_host_that_was_dialled(string name, bool withAddress, bool trusted)
    {
        await using var product = await Product.Start(dnsName: name, address: withAddress ? IPAddress.Loopback : null);
        product.On("GET", "/api/v2/me", Me);
        var end = await msctl.SignedInAt(product).Run("whoami");

        Assert.Equal(trusted ? 0 : 4, end.ExitCode);
        Assert.Equal(trusted ? 1 : 0, product.Requests.Count);
        if (!trusted)
        {
            Assert.Contains("neither to 'managed-servers' nor to '127.0.0.1'", end.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Another_authority_of_the_same_name_is_refused_before_credentials_are_sent()
    {
        await using var product = await Product.Start();
        product.On("GET", "/api/v2/me", Me);
        msctl.SignedInAt(product);
        msctl.File("ca.pem", new Certificates().Pem);
        var end = await msctl.Run("whoami");

        Assert.Equal(4, end.ExitCode);
        Assert.Contains("not from the authority that is trusted here", end.Error, StringComparison.Ordinal);
        Assert.Contains("msctl login", end.Error, StringComparison.Ordinal);
        Assert.Empty(product.Requests);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_with_credentials()
    {
        await using var product = await Product.Start();
        await using var elsewhere = await Product.Start(product.Certificates);
        product.OnRaw("GET", "/api/v2/me", context =>
        {
            context.Response.Redirect($"{elsewhere.Address}api/v2/me");
            return Task.CompletedTask;
        });
        var end = await msctl.SignedInAt(product).Run("whoami");

        Assert.Equal(1, end.ExitCode);
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", 2, "https only")]
    [InlineData("https://127.0.0.1:1", 4, "nothing listens there")]
    [InlineData("https://no-such-host.invalid:1", 4, "cannot be reached")]
    [InlineData("::::", 2, "is not an address")]
    public async Task An_address_where_no_product_is_gives_one_clear_error(string url, int exitCode, string words)
    {
        msctl.Environment["MSCTL_CA"] = msctl.File("ca.pem", new Certificates().Pem);
        msctl.Environment["MSCTL_TOKEN_FILE"] = msctl.File("token", "t");
        var end = await msctl.Run("whoami", "--url", url);

        Assert.Equal(exitCode, end.ExitCode);
        Assert.Contains(words, end.Error, StringComparison.Ordinal);
        Assert.Equal("", end.Out);
        Assert.DoesNotContain("   at ", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_product_that_restarts_is_asked_again_and_only_for_what_changes_nothing()
    {
        await using var product = await Product.Start();
        var asked = 0;
        product.On("GET", "/api/v2/me", (_, _) => ++asked < 3 ? (503, """{"title":"starting","status":503}""") : (200, Me));
        product.On("POST", "/api/v2/pvservers/ns1/test", """{"title":"starting","status":503}""", 503);
        msctl.SignedInAt(product);

        Assert.Equal(0, (await msctl.Run("whoami")).ExitCode);
        Assert.Equal(3, asked);
        Assert.Equal(1, (await msctl.Run("servers", "test", "ns1")).ExitCode);
        Assert.Single(product.Requests, r => r.Method == "POST");
    }

    [Fact]
    public async Task An_answer_that_is_not_the_products_is_told_as_such()
    {
        await using var product = await Product.Start();
        product.On("GET", "/api/v2/me", "<html>hello</html>");
        var end = await msctl.SignedInAt(product).Run("whoami");

        Assert.Equal(1, end.ExitCode);
        Assert.Contains("is not understood", end.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", end.Error, StringComparison.Ordinal);
    }
}
