using RabbitMQ.Client;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>What the product makes in the broker: one exchange, the queue of what monitors send, and the queue of what was refused. All are durable.</summary>
internal static class RabbitMqTopology
{
    /// <summary>With which monitors send what they have counted.</summary>
    public const string RoutingKey = "statistics";

    // A full queue refuses, so that what comes then waits on the hosts and not on the broker's disk.
    private const long MostBytes = 1L << 30;
    private const long MostDeadBytes = 64L << 20;
    private static readonly TimeSpan DeadKept = TimeSpan.FromDays(14);

    /// <summary>The queue, and the exchange, of what was refused.</summary>
    public static string Dead(string name) => $"{name}.dead";

    public static async Task Declare(IChannel channel, RabbitMqSettings settings, CancellationToken cancellationToken)
    {
        var (exchange, queue) = (settings.Exchange, settings.Queue);
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-max-length-bytes"] = MostBytes, ["x-overflow"] = "reject-publish",
        }, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(queue, exchange, RoutingKey, cancellationToken: cancellationToken);

        await channel.ExchangeDeclareAsync(Dead(exchange), ExchangeType.Fanout, durable: true, cancellationToken: cancellationToken);
        await channel.QueueDeclareAsync(Dead(queue), durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-max-length-bytes"] = MostDeadBytes, ["x-message-ttl"] = (long)DeadKept.TotalMilliseconds,
        }, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(Dead(queue), Dead(exchange), "", cancellationToken: cancellationToken);
    }
}
