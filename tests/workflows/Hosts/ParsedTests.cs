using System.Text.Json;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Tests.Hosts;

public sealed class ParsedTests
{
    [Theory]
    [InlineData("ns1", "ns1")]
    [InlineData("NS1.Example.org.", "ns1.example.org")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("1and1.example", "1and1.example")]
    [InlineData("192.0.2.10", "192.0.2.10")]
    [InlineData("2001:DB8:0::10", "2001:db8::10")]
    [InlineData("[2001:db8::10]", "2001:db8::10")]
    [InlineData("::1", "::1")]
    public void An_address_is_taken_in_its_canonical_form(string text, string canonical)
    {
        Assert.Equal(canonical, HostAddress.Parse(text).Text);
        Assert.Equal(HostAddress.Parse(canonical), HostAddress.Parse(text));
    }

    public static TheoryData<string?> BadAddresses =>
    [
        null, "", " ", "ns1 ", "ns1\n", "ns1\nProxyCommand id", "-oProxyCommand=id", "ns1.-x.org", "ns1-", "a..b", ".a", "bücher.example", "a_b", "ns1/24", "ns1;id", "$(id)",
        "1.2.3", "1.2.3.256", "01.2.3.4", "0x7f000001", "10.0.0.0x1", "1", "1.2.3.4.5", "::1%eth0", "[::1]:22", "ns1:22", "1.2.3.4:22", ":::", "user@ns1", new string('a', 64), string.Join('.', Enumerable.Repeat("abcdefghi", 26)),
    ];

    [Theory]
    [MemberData(nameof(BadAddresses))]
    public void Anything_else_is_refused_with_the_rule(string? text)
    {
        Assert.False(HostAddress.TryParse(text, out var address, out var rule));
        Assert.Null(address);
        Assert.StartsWith("m", rule, StringComparison.Ordinal);
    }

    [Fact]
    public void No_random_text_makes_an_address_that_is_more_than_an_address()
    {
        var random = new Random(7);
        const string some = "abc019.-:[]% \n'\"$;/@\\é";
        for (var i = 0; i < 10_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => some[random.Next(some.Length)])]);
            if (HostAddress.TryParse(text, out var address, out _))
            {
                Assert.Matches("^[a-z0-9:][a-z0-9.:-]*$", address.Text);
            }
        }
    }

    [Theory]
    [InlineData("root")]
    [InlineData("first.last@example.org")]
    [InlineData("EXAMPLE\\admin")]
    public void A_user_is_taken(string text) => Assert.Equal(text, SshUser.Parse(text).Text);

    [Theory]
    [InlineData("")]
    [InlineData("-l")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a;b")]
    [InlineData("a'b")]
    public void A_user_with_other_characters_is_refused(string text) => Assert.False(SshUser.TryParse(text, out _, out _));

    [Theory]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("+22")]
    [InlineData(" 22")]
    [InlineData("22x")]
    [InlineData("")]
    [InlineData("99999999999")]
    public void A_port_out_of_range_is_refused(string text) => Assert.False(SshPort.TryParse(text, out _, out _));

    [Fact]
    public void They_travel_as_plain_JSON_and_are_checked_on_the_way_in()
    {
        Assert.Equal("\"2001:db8::1\"", JsonSerializer.Serialize(HostAddress.Parse("2001:DB8::1")));
        Assert.Equal(SshPort.Parse(2222), JsonSerializer.Deserialize<SshPort>("2222"));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<HostAddress>("\"a b\""));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<SshUser>("\"-x\""));
    }

    [Fact]
    public void A_target_prints_no_secret()
    {
        var target = new HostTarget
        {
            DisplayName = "ns1",
            Address = HostAddress.Parse("2001:db8::1"),
            User = SshUser.Root,
            Credential = new PasswordCredential("hunter2"),
            PinnedKey = null,
        };

        Assert.Equal("ns1 ([2001:db8::1]:22)", target.ToString());
        Assert.DoesNotContain("hunter2", target.Credential.ToString(), StringComparison.Ordinal);
        Assert.Equal("private key", new PrivateKeyCredential("PEM", "hunter2").ToString());
    }
}
