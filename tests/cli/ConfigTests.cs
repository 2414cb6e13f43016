using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Seeing and changing what servers serve, against the stand-in.</summary>
public sealed class ConfigTests : AgainstStandIn
{
    private const string Root = "/api/v2/pvservers/ns1/configuration";
    private const string Version = """{"component":"dns","version":4,"source":"apply","message":"more mail","who":"ada","at":"2026-11-26T01:00:00Z","runId":null,"appliedAt":"2026-11-26T01:00:02Z","current":true}""";
    private ScriptedRun run = null!;

    protected override void Prepare()
    {
        base.Prepare();
        run = Product.Run(new ScriptedRun("apply dns to ns1", "Make sure that nobody was faster"));
        Product.On("POST", $"{Root}/apply", (_, _) => (202, $$"""{"runId":"{{run.Id}}"}"""));
        Product.On("POST", $"{Root}/dns/versions/3/restore", (_, _) => (202, $$"""{"runId":"{{run.Id}}"}"""));
        var dhcp = Version.Replace("dns", "dhcp", StringComparison.Ordinal);
        Product.On("GET", Root, $$$"""
            {"items":[{"version":{{{Version}}},"dns":{"zones":[{"name":"example.org","file":"@ SOA ns1 h 1 2 3 4 5\n\tA 192.0.2.1\n","dnssec":true},{"name":"example.net","file":null,"primaries":[{"address":"192.0.2.1","port":53,"key":"xfr"}]}],"listen":[{"address":"0.0.0.0","port":53}],"keys":[{"name":"xfr","algorithm":"hmac-sha256","secret":null}]},"dhcp":null},
                      {"version":{{{dhcp}}},"dns":null,"dhcp":{"subnet4":[{"subnet":"192.0.2.0/24"}]}}]}
            """);
        var never = Version.Replace("true", "false", StringComparison.Ordinal).Replace("\"2026-11-26T01:00:02Z\"", "null", StringComparison.Ordinal).Replace(":4,", ":3,", StringComparison.Ordinal);
        Product.On("GET", $"{Root}/dns/versions", $$"""{"items":[{{Version}},{{never}}],"next":null}""");
        Product.On("GET", $"{Root}/dns/versions/3/diff", """{"from":3,"to":4,"changes":[{"what":"example.org","diff":"--- a\n+++ b\n@@ -1,1 +1,1 @@\n-x\u001b[2J\n+y\n"}]}""");
    }

    [Fact]
    public async Task Single_zones_are_set_and_removed_and_all_are_replaced_when_told()
    {
        var zone = Msctl.File("org.zone", "@ SOA\n");
        var single = await Msctl.Run("config", "apply", "ns1", "--zone", $"example.org={zone}", "--remove-zone", "example.net", "-m", "why", "--based-on", "4", "--no-watch");
        var all = await Msctl.Run("config", "apply", "ns1", "--only", "--zone", $"example.org={zone}", "--drop-zones", "--listen", "192.0.2.1:53", "--based-on", "dns=4,dhcp=2", "--no-watch");

        Assert.Equal((0, $"{run.Id}\n"), (single.ExitCode, single.Out));
        Assert.True(all.ExitCode == 0, all.ToString());
        Assert.Equal(
            [
                """{"setZones":[{"name":"example.org","file":"@ SOA\n"}],"removeZones":["example.net"],"message":"why","basedOn":{"dns":4,"dhcp":4}}""",
                """{"zones":[{"name":"example.org","file":"@ SOA\n"}],"dropZones":true,"listen":[{"address":"192.0.2.1","port":53}],"basedOn":{"dns":4,"dhcp":2}}""",
            ],
            Product.Requests.Where(r => r.Method == "POST").Select(r => JsonSerializer.Serialize(JsonDocument.Parse(r.Body))));
    }

    [Fact]
    public async Task What_is_served_is_shown_as_an_overview_or_to_the_letter()
    {
        var overview = await Msctl.Run("config", "show", "ns1");
        Assert.Contains("Version     4, apply by ada", overview.Out, StringComparison.Ordinal);
        Assert.Contains("Listens on  0.0.0.0 port 53\nZones       example.org, example.net\nSigned      example.org\nSecondary   example.net\nKeys        xfr\n", overview.Out, StringComparison.Ordinal);
        Assert.Equal("@ SOA ns1 h 1 2 3 4 5\n\tA 192.0.2.1\n", (await Msctl.Run("config", "show", "ns1", "--zone", "Example.org.")).Out);
        Assert.Equal("192.0.2.0/24", JsonDocument.Parse((await Msctl.Run("config", "show", "ns1", "--dhcp")).Out).RootElement.GetProperty("subnet4")[0].GetProperty("subnet").GetString());
        Assert.Contains("example.net is a secondary zone of ns1", (await Msctl.Run("config", "show", "ns1", "--zone", "example.net")).Error, StringComparison.Ordinal);
        Assert.Contains("has no zone example.com", (await Msctl.Run("config", "show", "ns1", "--zone", "example.com")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Versions_are_listed_compared_and_brought_back()
    {
        var versions = (await Msctl.Run("config", "versions", "ns1", "dns")).Lines;
        Assert.Matches(@"^ +4  served +apply  ada  2026-11-26 01:00:00Z  more mail$", versions[1]);
        Assert.Matches(@"^ +3  never served  apply ", versions[2]);
        Assert.Equal(["--- a", "+++ b", "@@ -1,1 +1,1 @@", @"-x\x1b[2J", "+y"], (await Msctl.Run("config", "diff", "ns1", "dns", "3", "4")).Lines);
        Assert.Equal(0, (await Msctl.Run("config", "restore", "ns1", "dns", "3", "--drop-zones", "--no-watch")).ExitCode);
        Assert.Equal("""{"dropZones":true}""", Product.Requests.Single(r => r.Method == "POST").Body);
    }

    [Theory]
    [InlineData("config apply ns1 --only")]
    [InlineData("config apply ns1 --remove-zone x --based-on four")]
    [InlineData("config show ns1 --version 3")]
    [InlineData("config versions ns1 monitor")]
    [InlineData("config versions ns1 dns --limit 0")]
    [InlineData("config diff ns1 dns 3 x")]
    public async Task What_cannot_be_meant_is_refused_before_anything_is_sent(string line)
    {
        Assert.Equal(2, (await Msctl.Run(line.Split(' '))).ExitCode);
        Assert.DoesNotContain(Product.Requests, r => r.Path.Contains("configuration", StringComparison.Ordinal));
    }
}
