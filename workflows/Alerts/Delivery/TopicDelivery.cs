using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.RabbitMq;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace ManagedServers.Workflows.Alerts;

/// <summary>To the broker of the RabbitMQ settings: a durable topic exchange, with the severity at the end of the key. Taken when the broker has confirmed that a queue has it.</summary>
internal sealed class TopicDelivery(RabbitMqSettingsStore store)
{
    public const string Type = "alerts";

    public static string Exchange(string name) => $"{name}.alerts";

    public static string Key(AlertChannel channel, NotificationContent content) => $"{channel.Settings.RoutingKey}.{(content.Kind == NotificationKind.Test ? "test" : AlertWords.Of(content.Severity))}";

    /// <exception cref="DeliveryException">No queue has it.</exception>
    public async Task Send(AlertChannel channel, NotificationContent content, CancellationToken cancellationToken)
    {
        var settings = await store.Read(cancellationToken);
        if (!settings.Enabled)
        {
            throw new DeliveryException("RabbitMQ is not enabled: msctl settings rabbitmq set --enable");
        }

        var (exchange, key) = (Exchange(settings.Exchange), Key(channel, content));
        try
        {
            await using var connection = await RabbitMqConnection.Open(settings, "alerts", cancellationToken);
            await using var topic = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
            await topic.ExchangeDeclareAsync(exchange, ExchangeType.Topic, durable: true, cancellationToken: cancellationToken);
            var properties = new BasicProperties { Persistent = true, Type = Type, ContentType = "application/json", MessageId = content.Id.ToString(), Timestamp = new AmqpTimestamp(content.At.ToUnixTimeSeconds()) };
            await topic.BasicPublishAsync(exchange, key, mandatory: true, properties, JsonSerializer.SerializeToUtf8Bytes(content, EngineJson.Options), cancellationToken);
        }
        catch (PublishException returned) when (returned.IsReturn)
        {
            throw new DeliveryException($"RabbitMQ has no queue for it: bind one to the exchange '{exchange}' with the key '{channel.Settings.RoutingKey}.#'.", inner: returned);
        }
        catch (RabbitMqException problem)
        {
            throw new DeliveryException(problem.Message, inner: problem);
        }
        catch (Exception problem) when (RabbitMqException.IsBrokers(problem, cancellationToken))
        {
            throw new DeliveryException(RabbitMqException.Of(settings, problem).Message, inner: problem);
        }
    }
}
