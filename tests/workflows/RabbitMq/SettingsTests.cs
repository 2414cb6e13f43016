using Dapper;
using ManagedServers.Lab;
using ManagedServers.Workflows.RabbitMq;

namespace ManagedServers.Workflows.Tests.RabbitMq;

[Collection(WithDatabase.Name)]
public sealed class SettingsTests(Database database, SharedBroker shared) : IAsyncLifetime
{
    private BrokerHouse house = null!;

    public async Task InitializeAsync() => house = await BrokerHouse.Of(database, shared);

    public async Task DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Every_node_follows_changed_settings_and_says_how_it_stands()
    {
        await house.AddNode("second");
        await house.Stands(RabbitMqState.Off);

        await (await house.Settings.Change(house.Right() with { Password = "a-wrong-word" }, "admin")).Make();
        var failed = await house.Stands(RabbitMqState.Failed);
        Assert.Equal(["first", "second"], failed.Select(n => n.Node));
        Assert.All(failed, n => Assert.Contains("the password of 'product' is wrong", n.Reason, StringComparison.Ordinal));

        await (await house.Settings.Change(new RabbitMqChange { Password = LabBroker.Password }, "admin")).Make();
        Assert.All(await house.Stands(RabbitMqState.Connected), n => Assert.Null(n.Reason));

        var shown = await (await house.Settings.Change(new RabbitMqChange { Enabled = false }, "admin")).Make();
        await house.Stands(RabbitMqState.Off);
        Assert.Equal((house.Broker.Address, 5671, true, "admin"), (shown.Host, shown.Port, shown.HasPassword, shown.ChangedBy));
        await using var connection = await house.Source.OpenConnectionAsync();
        Assert.DoesNotContain("word-of", await connection.QuerySingleAsync<string>("select r::text from settings.rabbitmq r"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_says_clearly_what_is_wrong_and_keeps_nothing()
    {
        var tester = house.Get<RabbitMqTester>();
        var plain = house.Right() with { Tls = false };
        (RabbitMqChange Change, string? Product, string? Host)[] cases =
        [
            (house.Right(), null, null),
            (plain, null, null),
            (house.Right() with { Password = "a-wrong-word" }, "the password of 'product' is wrong", "not tried"),
            (house.Right() with { HostPassword = "a-wrong-word" }, null, "the password of 'hosts' is wrong"),
            (house.Right() with { User = LabBroker.HostUser, Password = LabBroker.HostPassword }, "Give the user 'hosts' that right", "not tried"),
            (house.Right() with { Exchange = "elsewhere" }, null, "Give the user 'hosts' that right"),
            (house.Right() with { VirtualHost = "nowhere" }, "Make the virtual host 'nowhere'", "not tried"),
            (house.Right() with { Authority = Stranger() }, "does not lead to the authority to trust", "not tried"),
            (house.Right() with { Port = LabBroker.PlainPort }, "See whether port 5672 is the one with TLS", "not tried"),
            (plain with { Port = LabBroker.TlsPort }, "is the one without TLS", "not tried"),
            (plain with { Port = 1 }, "Connection refused. See whether RabbitMQ runs there", "not tried"),
        ];
        foreach (var (change, product, host) in cases)
        {
            var test = await tester.Run(change);
            Assert.Equal(["product", "host"], test.Checks.Select(c => c.Name));
            Says(product, test.Checks[0]);
            Says(host, test.Checks[1]);
            Assert.Equal(product is null && host is null, test.Ok);
        }

        Assert.Equal("", (await house.Settings.Show()).Host);

        static void Says(string? expected, RabbitMqCheck check)
        {
            Assert.Equal(expected is null, check.Ok);
            Assert.True(expected is null || check.Problem!.Contains(expected, StringComparison.Ordinal), $"'{expected}' is not in: {check.Problem}");
        }
    }

    [Fact]
    public async Task What_cannot_be_is_refused_and_a_stored_password_is_not_sent_elsewhere()
    {
        await Refused(new RabbitMqChange { Enabled = true }, "host", "password", "user");
        await Refused(house.Right() with { Authority = "" }, "authority");
        await Refused(house.Right() with
        {
            Host = "a b", Port = 70_000, VirtualHost = "", User = "a\nb", Password = "abc", HostUser = new string('x', 300), Authority = "-----BEGIN", Exchange = "amq.direct", Queue = "a b",
        }, "authority", "exchange", "host", "hostUser", "password", "port", "queue", "user", "virtualHost");

        await (await house.Settings.Change(house.Right() with { Enabled = false }, "admin")).Make();
        await Refused(new RabbitMqChange { Host = "elsewhere.example" }, "hostPassword", "password");
        await Refused(new RabbitMqChange { User = "another" }, "password");
        await Refused(new RabbitMqChange { Tls = false }, "hostPassword", "password");
        var changed = await (await house.Settings.Change(new RabbitMqChange { Host = "elsewhere.example", Password = "another-word", HostUser = "" }, "admin")).Make();
        Assert.Equal(("elsewhere.example", null), (changed.Host, changed.HostUser));

        async Task Refused(RabbitMqChange change, params string[] fields)
        {
            var refusal = await Assert.ThrowsAsync<InvalidInputException>(() => house.Settings.Change(change, "admin"));
            Assert.Equal(fields, refusal.Errors.Keys.Order(StringComparer.Ordinal));
        }
    }

    /// <summary>An authority that has signed nothing.</summary>
    private static string Stranger()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=A stranger", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(StandInMonitor.Now.AddDays(-1), StandInMonitor.Now.AddDays(1));
        return certificate.ExportCertificatePem();
    }
}
