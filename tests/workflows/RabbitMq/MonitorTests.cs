using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Lab;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Tests.Payload;
using RabbitMQ.Client;

namespace ManagedServers.Workflows.Tests.RabbitMq;

/// <summary>The monitor's own side, without the product that takes its messages.</summary>
[Collection(WithDatabase.Name)]
public sealed class MonitorTests(SharedBroker shared, ProductImages images) : IClassFixture<ProductImages>, IAsyncLifetime
{
    private readonly TestProduct product = new() { Ahead = TimeSpan.FromHours(3), Settings = new SenderSettings(1, new Dictionary<string, int>()) };
    private readonly KnotPair pair = new();

    public async Task InitializeAsync()
    {
        Assert.NotNull(images);
        await product.Start();
        await pair.Prepare("example.org");
    }

    public async Task DisposeAsync()
    {
        await pair.DisposeAsync();
        await product.DisposeAsync();
    }

    [Fact]
    public async Task It_says_what_is_wrong_keeps_its_records_and_sends_them_signed_and_with_the_products_time()
    {
        var (broker, name) = (await shared.Start(), shared.FreshName());
        await using var connection = await new ConnectionFactory { HostName = broker.Address, VirtualHost = LabBroker.VirtualHost, UserName = LabBroker.User, Password = LabBroker.Password }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();

        await Configure(broker, name, "a-wrong-word");
        await pair.StartMonitor();
        await Says("ACCESS_REFUSED");
        await Configure(broker, name, LabBroker.HostPassword);
        await Says("NOT_FOUND - no exchange");
        await channel.ExchangeDeclareAsync(name, ExchangeType.Direct, durable: true);
        await Says($"no queue takes what comes to the exchange {name}");
        await channel.QueueDeclareAsync("full", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-max-length"] = 0, ["x-overflow"] = "reject-publish" });
        await channel.QueueBindAsync("full", name, RabbitMqTopology.RoutingKey);
        await Says("the queue is full");
        await channel.QueueDeleteAsync("full");
        await RabbitMqTopology.Declare(channel, new RabbitMqSettings { Exchange = name, Queue = name }, CancellationToken.None);

        BasicGetResult? message = null;
        await Until.True("a message", async () => (message = await channel.BasicGetAsync(name, autoAck: true)) is not null);
        var (server, sent, signature) = (Header("server"), Header("sent"), Header("signature"));
        Assert.Equal((pair.Server.ToString(), "dns", true), (server, message!.BasicProperties.Type, message.BasicProperties.Persistent));
        Assert.Equal(StatisticsMessages.Sign(TestProduct.Token, "dns", server, sent, message.Body.Span), signature);
        Assert.InRange((DateTimeOffset.Parse(sent, null) - StandInMonitor.Now).TotalMinutes, 178, 181);
        var first = JsonSerializer.Deserialize<DnsReport>(message.Body.Span, EngineJson.Options)!.Samples![0]!;
        Assert.Equal((1, false), (first.Seq, first.Connected));
        await Until.True("no problem any more", () => pair.Problem is null);

        // It was told with the time: nobody answers a message.
        Assert.Equal(1, pair.Interval);

        string Header(string header) => Encoding.UTF8.GetString((byte[])message!.BasicProperties.Headers![header]!);
    }

    private Task Configure(LabBroker broker, string exchange, string password) => pair.Configure(product, 2, new
    {
        host = broker.Address, port = LabBroker.TlsPort, virtualHost = LabBroker.VirtualHost, user = LabBroker.HostUser, password, exchange, authority = broker.AuthorityPem,
    }, "example.org");

    private Task Says(string words) => Until.True(words, () => pair.Problem?.Contains(words, StringComparison.Ordinal) == true, 60);
}
