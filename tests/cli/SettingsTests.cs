using System.Text.Json;
using ManagedServers.Cli.Tests.Running;

namespace ManagedServers.Cli.Tests;

/// <summary>The RabbitMQ settings, against the stand-in.</summary>
public sealed class SettingsTests : AgainstStandIn
{
    private const string Path = "/api/v2/settings/rabbitmq";
    private const string Shown =
        """
        {"enabled":true,"host":"mq.example","port":5671,"virtualHost":"statistics","user":"managed-servers","hasPassword":true,"hostUser":null,"tls":true,"authority":"…","exchange":"managed-servers",
         "queue":"managed-servers.statistics","deadLetterQueue":"managed-servers.statistics.dead","changedBy":"admin","changedAt":"2026-01-01T00:00:00Z",
         "nodes":[{"node":"a","state":"connected","reason":null,"since":"2026-01-01T00:00:05Z"},{"node":"b","state":"failed","reason":"no answer in time.","since":"2026-01-01T00:00:06Z"}],"servers":["ns1"]}
        """;

    [Fact]
    public async Task What_is_set_is_sent_without_what_is_not_and_passwords_come_from_files()
    {
        Product.On("PATCH", Path, Shown).On("GET", Path, Shown);

        var end = await Msctl.Run("settings", "rabbitmq", "set", "--enable", "--host", "mq.example", "--user", "managed-servers", "--password-file", Msctl.File("word", "the-word\n"), "--tls",
            "--authority", Msctl.File("ca", "PEM"), "--host-user", "");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("""{"enabled":true,"host":"mq.example","user":"managed-servers","password":"the-word","hostUser":"","tls":true,"authority":"PEM"}""", Product.Requests.Single().Body);
        Assert.DoesNotContain("the-word", end.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            """
            Enabled       yes
            Broker        mq.example:5671 with TLS
            Virtual host  statistics
            User          managed-servers
            Hosts' user   the same
            Exchange      managed-servers
            Queue         managed-servers.statistics
            Dead letters  managed-servers.statistics.dead
            Changed       2026-01-01 00:00:00Z by admin
            Node a        connected since 2026-01-01 00:00:05Z
            Node b        failed since 2026-01-01 00:00:06Z: no answer in time.
            Servers       ns1

            """, end.Out);
        Assert.Equal(end.Out, (await Msctl.Run("settings", "rabbitmq", "show")).Out);
        Assert.Equal(2, (await Msctl.Run("settings", "rabbitmq", "set")).ExitCode);
        Assert.Equal(2, (await Msctl.Run("settings", "rabbitmq", "set", "--tls", "--no-tls")).ExitCode);
    }

    [Fact]
    public async Task A_failed_test_ends_with_1_and_says_why()
    {
        Product.On("POST", $"{Path}/test", """{"ok":false,"checks":[{"name":"product","ok":true,"problem":null},{"name":"host","ok":false,"problem":"the password of 'hosts' is wrong"}]}""");

        var end = await Msctl.Run("settings", "rabbitmq", "test");

        Assert.Equal((Cli.ExitCode.Refused, "{}"), (end.ExitCode, Product.Requests.Single().Body));
        Assert.Equal(
            """
            SIGNED IN AS  RESULT
            product       ok
            host          failed

            host: the password of 'hosts' is wrong

            """, end.Out);
    }

    [Fact]
    public async Task An_install_names_the_way_of_statistics()
    {
        Product.On("POST", "/api/v2/pvservers/ns1/install", $$"""{"runId":"{{Guid.NewGuid()}}"}""", 202);

        await Msctl.Run("servers", "install", "ns1", "--statistics", "rabbitmq", "--no-watch");

        Assert.Equal("rabbitmq", JsonDocument.Parse(Product.Requests.Single().Body).RootElement.GetProperty("statistics").GetString());
    }
}
