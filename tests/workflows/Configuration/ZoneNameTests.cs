using System.Text;
using System.Text.RegularExpressions;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Tests.Configuration;

public sealed partial class ZoneNameTests
{
    [Theory]
    [InlineData("example.org", "example.org")]
    [InlineData("Example.ORG.", "example.org")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("_tcp.example.org", "_tcp.example.org")]
    [InlineData("2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa")]
    [InlineData("0/26.2.0.192.in-addr.arpa", "0/26.2.0.192.in-addr.arpa")]
    public void A_zone_is_kept_in_lower_case_without_its_final_dot(string text, string value) => Assert.Equal(value, ZoneName.Parse(text).Value);

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a..b")]
    [InlineData(".a")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a.b\n")]
    [InlineData("a\0b")]
    [InlineData("-a.example")]
    [InlineData("a-.example")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("../a")]
    [InlineData("a#b")]
    [InlineData("a\"b")]
    [InlineData("*.example.org")]
    [InlineData("a123456789012345678901234567890123456789012345678901234567890123.org")]
    public void What_is_no_zone_is_refused_by_its_field(string text) =>
        Assert.Contains("zones[0].name", Assert.Throws<InvalidInputException>(() => ZoneName.Parse(text, "zones[0].name")).Errors.Keys);

    [Fact]
    public void An_international_name_is_refused_with_the_way_out() =>
        Assert.Contains("xn--", Assert.Throws<InvalidInputException>(() => ZoneName.Parse("bücher.example")).Message, StringComparison.Ordinal);

    [Fact]
    public void The_longest_name_has_253_characters()
    {
        var longest = string.Join('.', Enumerable.Repeat(new string('a', 63), 3).Append(new string('b', 61)));
        Assert.Equal(253, ZoneName.Parse(longest + ".").Value.Length);
        Assert.Throws<InvalidInputException>(() => ZoneName.Parse(longest + "b"));
    }

    [Fact]
    public void Whatever_is_accepted_is_one_line_of_the_configuration_and_one_file_name()
    {
        const string alphabet = "abcXYZ019-_.. \t\r\n\0\"'\\/:#[]{}*%$é\u2028\u200b\uff0e";
        var random = new Random(7);
        var accepted = 0;
        for (var i = 0; i < 200_000; i++)
        {
            var text = new StringBuilder();
            for (var n = random.Next(1, 8); n > 0; n--)
            {
                text.Append(alphabet[random.Next(alphabet.Length)]);
            }

            if (ZoneName.TryParse(text.ToString(), out var zone, out _))
            {
                accepted++;
                Assert.Matches(Plain(), zone.Value);
                Assert.Contains($"\nzone:\n  - domain: {zone.Value}.\n", KnotConfiguration.Render([new ServedZone(zone)], []), StringComparison.Ordinal);
                Assert.Matches(OneFile(), KnotConfiguration.ZoneFile(zone));
            }
        }

        Assert.InRange(accepted, 1000, 200_000);
    }

    [Theory]
    [InlineData("0.0.0.0", 53, "0.0.0.0@53")]
    [InlineData("2001:DB8::1", 5353, "2001:db8::1@5353")]
    [InlineData("::", 53, "::@53")]
    public void A_listen_address_is_written_as_knot_wants_it(string address, int port, string text) => Assert.Equal(text, ListenAddress.Parse(address, port).ToString());

    [Theory]
    [InlineData("1", 53, "listen.address")]
    [InlineData("localhost", 53, "listen.address")]
    [InlineData("0x7f.0.0.1", 53, "listen.address")]
    [InlineData("127.1", 53, "listen.address")]
    [InlineData("fe80::1%eth0", 53, "listen.address")]
    [InlineData("[::1]", 53, "listen.address")]
    [InlineData("224.0.0.1", 53, "listen.address")]
    [InlineData("127.0.0.1\n", 53, "listen.address")]
    [InlineData(null, 53, "listen.address")]
    [InlineData("127.0.0.1", 0, "listen.port")]
    [InlineData("127.0.0.1", 65536, "listen.port")]
    public void What_is_no_listen_address_is_refused_by_its_field(string? address, int port, string field) =>
        Assert.Contains(field, Assert.Throws<InvalidInputException>(() => ListenAddress.Parse(address, port)).Errors.Keys);

    [Fact]
    public void No_two_zones_share_a_file()
    {
        string[] zones = ["0/26.2.0.192.in-addr.arpa", "0_26.2.0.192.in-addr.arpa", "0-26.2.0.192.in-addr.arpa", $"0_26.2.0.192.in-addr.arpa-{KnotConfiguration.ZoneFile(ZoneName.Parse("0/26.2.0.192.in-addr.arpa"))[^21..^5]}"];
        Assert.Distinct(zones.Select(z => KnotConfiguration.ZoneFile(ZoneName.Parse(z))));
    }

    [GeneratedRegex(@"\A[a-z0-9_./-]+\z")]
    private static partial Regex Plain();

    [GeneratedRegex(@"\A[a-z0-9_-][a-z0-9_.+-]*\.zone\z")]
    private static partial Regex OneFile();
}
