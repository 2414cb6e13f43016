using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;
using Microsoft.AspNetCore.Http;

namespace ManagedServers.Cli.Tests;

/// <summary>Starting an installation, against the stand-in.</summary>
public sealed class InstallTests : AgainstStandIn
{
    private ScriptedRun run = null!;

    protected override void Prepare()
    {
        base.Prepare();
        run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        Product.On("POST", "/api/v2/pvservers/ns1/install", (_, _) => (202, $$"""{"runId":"{{run.Id}}"}"""));
    }

    [Fact]
    public async Task Everything_given_is_sent_as_the_contract_says()
    {
        var zone = Msctl.File("org.zone", "@ IN SOA ns1 admin 1 2 3 4 5\n");
        var commands = Msctl.File("pre.json", """[{"name":"mount","command":"mountpoint /srv","timeoutSeconds":9,"repeatable":true}]""");
        var end = await Msctl.Run(
            "servers", "install", "ns1", "--components", "dns, monitor", "--zone", $"example.org={zone}", "--listen", "192.0.2.10:53", "--listen", "[2001:db8::10]:5353",
            "--pre-commands-file", commands, "--pre-command", "say hello=echo a=b", "--pre-command", "free port 53", "--post-command", "end=true", "--no-watch");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal($"{run.Id}\n", end.Out);
        var sent = Product.Requests.Single(r => r.Path.EndsWith("/install", StringComparison.Ordinal));
        Assert.Equal(
            """{"components":["dns","monitor"],"zones":[{"name":"example.org","file":"@ IN SOA ns1 admin 1 2 3 4 5\n"}],"listen":[{"address":"192.0.2.10","port":53},{"address":"2001:db8::10","port":5353}],"preCommands":[{"name":"mount","command":"mountpoint /srv","timeoutSeconds":9,"repeatable":true},{"name":"say hello","command":"echo a=b","repeatable":false},{"name":"free port 53","repeatable":false}],"postCommands":[{"name":"end","command":"true","repeatable":false}]}""",
            JsonSerializer.Serialize(JsonDocument.Parse(sent.Body)));
        Assert.True(Guid.TryParse(sent.IdempotencyKey, out _));
    }

    [Fact]
    public async Task Records_are_sent_in_place_of_a_zone_file()
    {
        var zone = Msctl.File("org.json", """{ "soa": { "contact": "dns" }, "records": [ { "type": "NS", "data": "ns1" }, ] }""");
        var end = await Msctl.Run("servers", "install", "ns1", "--zone", $"example.org={zone}", "--no-watch");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("""{"zones":[{"name":"example.org","records":[{"type":"NS","data":"ns1"}],"soa":{"contact":"dns"}}]}""",
            JsonSerializer.Serialize(JsonDocument.Parse(Product.Requests.Single(r => r.Path.EndsWith("/install", StringComparison.Ordinal)).Body)));

        end = await Msctl.Run("servers", "install", "ns1", "--zone", $"example.org={Msctl.File("bad.json", """{"record":[]}""")}", "--no-watch");
        Assert.Equal(2, end.ExitCode);
        Assert.Contains("does not describe example.org: 'record' is not among file, records", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secondary_and_signed_zones_and_keys_are_sent_as_they_were_asked_for()
    {
        var key = Msctl.File("xfr.key", "# hmac-sha512:xfr.example.org:c2VjcmV0\nkey:\n  - id: xfr.example.org.\n");
        var zone = Msctl.File("net.json", """{ "records": [], "notify": [ { "address": "192.0.2.53" } ], "allowTransfer": [ { "key": "xfr.example.org" } ] }""");
        var end = await Msctl.Run("servers", "install", "ns1", "--secondary", "example.org=192.0.2.1/xfr.example.org,[2001:db8::1]:5353", "--zone", $"example.net={zone}", "--dnssec", "Example.net.", "--no-dnssec", "example.com", "--drop-dnssec", "--tsig-key", key, "--no-watch");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("""{"zones":[{"name":"example.net","notify":[{"address":"192.0.2.53"}],"allowTransfer":[{"key":"xfr.example.org"}],"dnssec":true,"records":[]},{"name":"example.org","primaries":[{"address":"192.0.2.1","port":53,"key":"xfr.example.org"},{"address":"2001:db8::1","port":5353,"key":null}]},{"name":"example.com","dnssec":false}],"dropDnssec":true,"keys":[{"name":"xfr.example.org","algorithm":"hmac-sha512","secret":"c2VjcmV0"}]}""",
            JsonSerializer.Serialize(JsonDocument.Parse(Product.Requests.Single(r => r.Path.EndsWith("/install", StringComparison.Ordinal)).Body)));

        foreach (var (wrong, told) in new[] { ("example.org=ns1.example.org", "ns1.example.org is not an address"), ("example.org", "is not NAME=ADDR[:PORT][/KEY]") })
        {
            end = await Msctl.Run("servers", "install", "ns1", "--secondary", wrong, "--no-watch");
            Assert.Equal(2, end.ExitCode);
            Assert.Contains(told, end.Error, StringComparison.Ordinal);
        }

        end = await Msctl.Run("servers", "install", "ns1", "--secondary", "example.org=192.0.2.1", "--tsig-key", Msctl.File("no.key", "bXlTZWNyZXQ="), "--no-watch");
        Assert.Equal(2, end.ExitCode);
        Assert.Contains("does not hold a key", end.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("bXlTZWNyZXQ", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Kea_document_is_sent_without_its_comments_and_nothing_of_DNS_with_it()
    {
        var document = Msctl.File("office.json", """
            { // the office
              "Dhcp4": { "subnet4": [ { "subnet": "192.0.2.0/24" }, ] } }
            """);
        var end = await Msctl.Run("servers", "install", "ns1", "--dhcp", document, "--drop-subnets", "--no-watch");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("""{"dhcp":{"Dhcp4":{"subnet4":[{"subnet":"192.0.2.0/24"}]}},"dropSubnets":true}""",
            JsonSerializer.Serialize(JsonDocument.Parse(Product.Requests.Single(r => r.Path.EndsWith("/install", StringComparison.Ordinal)).Body)));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("stop")]
    [InlineData("restart")]
    public async Task Components_are_controlled_by_name_or_all_together(string verb)
    {
        Product.On("POST", $"/api/v2/pvservers/ns1/{verb}", (_, _) => (202, $$"""{"runId":"{{run.Id}}"}"""));
        var one = await Msctl.Run("servers", verb, "ns1", "--components", "dns", "--no-watch");
        var all = await Msctl.Run("servers", verb, "ns1", "--no-watch", "-o", "json");

        Assert.True(one.ExitCode == 0, one.ToString());
        Assert.Equal($"{run.Id}\n", one.Out);
        Assert.Equal(run.Id, JsonDocument.Parse(all.Out).RootElement.GetProperty("runId").GetGuid());
        Assert.Equal(["""{"components":["dns"]}""", "{}"], Product.Requests.Where(r => r.Path.EndsWith(verb, StringComparison.Ordinal)).Select(r => JsonSerializer.Serialize(JsonDocument.Parse(r.Body))));
    }

    [Fact]
    public async Task Commands_are_run_by_hand_and_around_whatever_is_done_by_name_or_as_text()
    {
        string[] paths = ["run-commands", "stop", "configuration/apply", "drift/reapply"];
        foreach (var path in paths)
        {
            Product.On("POST", $"/api/v2/pvservers/ns1/{path}", (_, _) => (202, $$"""{"runId":"{{run.Id}}"}"""));
        }

        foreach (var line in new string[][]
        {
            ["servers", "run-commands", "ns1", "check free disk", "see=uptime"], ["servers", "stop", "ns1", "--pre-command", "drain", "--post-command", "tell=echo a=b"],
            ["config", "apply", "ns1", "--remove-zone", "example.org", "--no-commands"], ["drift", "reapply", "ns1", "--post-command", "ask DNS"],
        })
        {
            var end = await Msctl.Run([.. line, "--no-watch"]);
            Assert.True(end.ExitCode == 0, end.ToString());
        }

        Assert.Equal(
        [
            """{"commands":[{"name":"check free disk","repeatable":false},{"name":"see","command":"uptime","repeatable":false}]}""",
            """{"preCommands":[{"name":"drain","repeatable":false}],"postCommands":[{"name":"tell","command":"echo a=b","repeatable":false}]}""",
            """{"removeZones":["example.org"],"preCommands":[],"postCommands":[]}""",
            """{"postCommands":[{"name":"ask DNS","repeatable":false}]}""",
        ], paths.Select(p => JsonSerializer.Serialize(JsonDocument.Parse(Product.Requests.Single(r => r.Path.EndsWith($"ns1/{p}", StringComparison.Ordinal)).Body))));
        Assert.Equal(2, (await Msctl.Run("servers", "run-commands", "ns1")).ExitCode);
    }

    [Fact]
    public async Task Uninstall_asks_first_and_without_a_terminal_needs_to_be_sure()
    {
        Product.On("POST", "/api/v2/pvservers/ns1/uninstall", (_, _) => (202, $$"""{"runId":"{{run.Id}}"}"""));
        var unsure = await Msctl.Run("servers", "uninstall", "ns1");
        Assert.Equal(2, unsure.ExitCode);
        Assert.Contains("--yes", unsure.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Product.Requests, r => r.Path.EndsWith("/uninstall", StringComparison.Ordinal));

        var both = await Msctl.Run("servers", "uninstall", "ns1", "--yes", "--watch", "--no-watch");
        Assert.Equal(2, both.ExitCode);
        Assert.Contains("Both --watch and --no-watch were given.", both.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Product.Requests, r => r.Path.EndsWith("/uninstall", StringComparison.Ordinal));
        var sure = await Msctl.Run("servers", "uninstall", "ns1", "--yes", "--no-watch");
        Assert.True(sure.ExitCode == 0, sure.ToString());
        Assert.True(Guid.TryParse(Product.Requests.Single(r => r.Path.EndsWith("/uninstall", StringComparison.Ordinal)).IdempotencyKey, out _));
    }

    [Fact]
    public async Task It_watches_to_the_end_and_ends_with_the_outcome()
    {
        await using var install = Msctl.Start(["servers", "install", "ns1"]);
        await install.Shows("install dns on ns1");
        run.Done(1, "everything is there", false).Become("succeeded");
        var end = await install.End();

        Assert.Equal(0, end.ExitCode);
        Assert.Contains("1 step, nothing changed.", end.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_answer_is_asked_for_again_with_the_same_key()
    {
        var asked = 0;
        Product.OnRaw("POST", "/api/v2/pvservers/ns1/install", async context =>
        {
            if (++asked == 1)
            {
                context.Abort();
                return;
            }

            context.Response.StatusCode = 202;
            await context.Response.WriteAsync($$"""{"runId":"{{run.Id}}"}""");
        });
        var end = await Msctl.Run("servers", "install", "ns1", "--no-watch", "-o", "json");

        Assert.Equal(0, end.ExitCode);
        Assert.Equal($$"""{"runId":"{{run.Id}}"}""", end.Out.Trim());
        var keys = Product.Requests.Where(r => r.Path.EndsWith("/install", StringComparison.Ordinal)).Select(r => r.IdempotencyKey).ToList();
        Assert.Equal(2, keys.Count);
        Assert.Single(keys.Distinct());
    }

    [Theory]
    [InlineData("--zone", "example.org", "is not NAME=FILE")]
    [InlineData("--zone", "example.org=/no/such/file", "cannot be read")]
    [InlineData("--listen", "192.0.2.10", "an address and a port were expected")]
    [InlineData("--pre-command", "=x", "is not 'NAME=TEXT'")]
    [InlineData("--pre-commands-file", "/etc/hostname", "is not a list of commands")]
    [InlineData("--dhcp", "/etc/hostname", "is not a JSON document")]
    public async Task Bad_input_ends_with_2_and_sends_nothing(string option, string value, string words)
    {
        var end = await Msctl.Run("servers", "install", "ns1", option, value);
        Assert.Equal(2, end.ExitCode);
        Assert.Contains(words, end.Error, StringComparison.Ordinal);
        Assert.Empty(Product.Requests);
    }
}
