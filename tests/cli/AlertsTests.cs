using ManagedServers.Cli.Tests.Running;

namespace ManagedServers.Cli.Tests;

/// <summary>Alerts, rules, maintenance and channels, against the stand-in.</summary>
public sealed class AlertsTests : AgainstStandIn
{
    private const string Rule =
        """{"id":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b","name":"var full","description":"","enabled":true,"severity":"critical","kind":"threshold","metric":"disk.used{/var}","of":"disk.total","comparison":"above","value":0.95,"clearValue":0.9,"forSeconds":300,"servers":[],"changedBy":"admin"}""";

    [Fact]
    public async Task A_rule_is_made_of_what_is_given_in_the_units_of_people()
    {
        Product.On("POST", "/api/v2/alerts/rules", Rule);

        var end = await Msctl.Run("alerts", "rules", "add", "var full", "--metric", "disk.used{/var}", "--of", "disk.total", "--above", "95%", "--clear", "90%", "--for", "5m", "--severity", "critical", "--servers", "ns1, ns2");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(
            """{"name":"var full","severity":"critical","kind":"threshold","metric":"disk.used{/var}","of":"disk.total","comparison":"above","value":0.95,"clearValue":0.9,"forSeconds":300,"servers":["ns1","ns2"]}""",
            Product.Requests.Single().Body);
        Assert.Equal(
            """
            Name         var full
            Enabled      yes
            Severity     critical
            Fires when   disk.used{/var}/disk.total above 95%
            For          5 min 00 s
            Over beyond  90%
            Servers      all
            Changed by   admin

            """, end.Out);

        Assert.Equal("""{"name":"soon","kind":"forecast","metric":"disk.used","of":"disk.total","value":345600,"clearValue":432000}""",
            await Sent("rules", "add", "soon", "--metric", "disk.used", "--of", "disk.total", "--within", "4d", "--clear", "5d"));
        Assert.Equal("""{"name":"busy","kind":"rate","metric":"network.sent","comparison":"above","value":104857600,"windowSeconds":300}""",
            await Sent("rules", "add", "busy", "--metric", "network.sent", "--rate-over", "5m", "--above", "100MiB"));
        Assert.Equal("""{"name":"quiet","kind":"absence","metric":"swap.used","windowSeconds":600,"forSeconds":0}""", await Sent("rules", "add", "quiet", "--metric", "swap.used", "--absent", "10m", "--for", "0"));
        Assert.Equal("""{"name":"dead","kind":"state","condition":"dockerDead"}""", await Sent("rules", "add", "dead", "--state", "dockerDead"));
        Assert.Equal(2, (await Msctl.Run("alerts", "rules", "add", "x", "--metric", "load.1", "--above", "many")).ExitCode);
        Assert.Equal(2, (await Msctl.Run("alerts", "rules", "add", "x", "--metric", "load.1", "--above", "1", "--below", "2")).ExitCode);
        Assert.Equal(2, (await Msctl.Run("alerts", "rules", "add", "x", "--state", "dockerDead", "--for", "long")).ExitCode);
    }

    [Fact]
    public async Task Alerts_are_listed_with_their_server_and_what_it_is()
    {
        Product.On("GET", "/api/v2/alerts",
            """{"items":[{"id":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b","rule":"disk full","severity":"critical","state":"firing","serverId":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2c","server":"ns1","label":"/","summary":"disk.used/disk.total of / is 98 % (above 97 %)","since":"2020-01-01T00:00:00Z","maintenanceUntil":"2999-01-01T00:00:00Z"}],"next":null}""");

        var end = await Msctl.Run("alerts", "list", "--server", "ns1");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Contains("firing, maintenance  critical  ns1     disk full  disk.used/disk.total of / is 98 % (above 97 %)", end.Out, StringComparison.Ordinal);
        Assert.Equal("?server=ns1&limit=200", Product.Requests.Single().Query);
    }

    [Fact]
    public async Task Secrets_of_a_channel_come_from_files_and_are_never_printed()
    {
        Product.On("POST", "/api/v2/alerts/channels", """{"id":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b","name":"chat","enabled":true,"kind":"webhook","severity":"info","settings":{"origin":"https://hooks.example.org"},"hasSecret":true}""");

        var end = await Msctl.Run("alerts", "channels", "add", "chat", "webhook", "--address-file", Msctl.File("address", "https://hooks.example.org/T0/word\n"), "--secret-file", Msctl.File("secret", "a-word-that-signs\n"));

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("""{"name":"chat","kind":"webhook","url":"https://hooks.example.org/T0/word","secret":"a-word-that-signs"}""", Product.Requests.Single().Body);
        Assert.DoesNotContain("word", end.ToString(), StringComparison.Ordinal);
        Assert.Contains("chat: https://hooks.example.org, signed", end.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_that_was_not_taken_ends_with_1_and_says_why()
    {
        Product.On("POST", "/api/v2/alerts/channels/ops/test", """{"ok":false,"problem":"mail.example.org:587 does not let 'alerts' in"}""");
        var end = await Msctl.Run("alerts", "channels", "test", "ops");
        Assert.Equal((Cli.ExitCode.Refused, "Not taken: mail.example.org:587 does not let 'alerts' in\n"), (end.ExitCode, end.Out));
    }

    private async Task<string?> Sent(params string[] arguments)
    {
        var before = Product.Requests.Count;
        await Msctl.Run(["alerts", .. arguments]);
        return Product.Requests.Skip(before).Single().Body;
    }
}
