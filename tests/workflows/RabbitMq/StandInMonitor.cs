using System.Text;
using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Lab;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.RabbitMq;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace ManagedServers.Workflows.Tests.RabbitMq;

/// <summary>Sends what a host could send: signed in as hosts do, waiting for the broker's confirm, and again until it has come.</summary>
internal sealed class StandInMonitor(BrokerHouse house, Guid server, string token) : IAsyncDisposable
{
    private IConnection? connection;
    private IChannel? channel;

    public Guid Server => server;

    public string Token => token;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public Task Send(DnsReport report, DateTimeOffset? sent = null) => Send(JsonSerializer.SerializeToUtf8Bytes(report, EngineJson.Options), sent: sent);

    /// <param name="claims">For whom it pretends to speak; for itself by default.</param>
    /// <param name="silent">Without any header.</param>
    public async Task Send(byte[] body, string type = "dns", string? claims = null, DateTimeOffset? sent = null, bool silent = false)
    {
        var (speaks, at) = (claims ?? server.ToString(), (sent ?? Now).ToString("O"));
        var properties = new BasicProperties
        {
            Type = type, Persistent = true,
            Headers = silent ? null : new Dictionary<string, object?> { ["server"] = speaks, ["sent"] = at, ["signature"] = StatisticsMessages.Sign(token, type, speaks, at, body) },
        };
        while (!await Sent(properties, body))
        {
            await Task.Delay(100);
        }
    }

    /// <summary>All that is in the dead-letter queue, oldest first.</summary>
    public async Task<IReadOnlyList<(string Reason, int Size)>> DeadLetters()
    {
        List<(string, int)> found = [];
        await using var own = await Connect(LabBroker.User, LabBroker.Password);
        await using var reading = await own.CreateChannelAsync();
        while (await reading.BasicGetAsync($"{house.Name}.dead", autoAck: true) is { } message)
        {
            found.Add((Encoding.UTF8.GetString((byte[])message.BasicProperties.Headers!["reason"]!), message.Body.Length));
        }

        return found;
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
    }

    private async Task<bool> Sent(BasicProperties properties, byte[] body)
    {
        try
        {
            if (channel is not { IsOpen: true })
            {
                await DisposeAsync();
                connection = await Connect(LabBroker.HostUser, LabBroker.HostPassword);
                channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
            }

            await channel.BasicPublishAsync(house.Name, "statistics", mandatory: true, properties, body);
            return true;
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private Task<IConnection> Connect(string user, string password) => new ConnectionFactory
    {
        HostName = house.Broker.Address, VirtualHost = LabBroker.VirtualHost, UserName = user, Password = password, AutomaticRecoveryEnabled = false,
    }.CreateConnectionAsync();
}
