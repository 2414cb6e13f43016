using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>
/// One connection that consumes the queue. A message is acknowledged after its records are committed; what never will be accepted goes to the dead-letter queue with the
/// reason; what cannot be stored just now is held for a pause and given back. At most <see cref="RabbitMqOptions.Prefetch"/> are held, so a busy database slows the broker's sending down.
/// </summary>
internal sealed class StatisticsQueue : IAsyncDisposable
{
    private const int LongestReason = 1000;

    // Enough to see what it was.
    private const int MostKeptOfTooLarge = 64 * 1024;
    private readonly RabbitMqSettings settings;
    private readonly StatisticsMessages messages;
    private readonly RabbitMqOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly IConnection connection;
    private readonly IChannel channel;
    private readonly CancellationTokenSource closing = new();
    private readonly CancellationToken closed;
    private readonly TaskCompletionSource<RabbitMqException> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int failures;
    private int refused;

    private StatisticsQueue(RabbitMqSettings settings, StatisticsMessages messages, RabbitMqOptions options, TimeProvider time, ILogger logger, IConnection connection, IChannel channel)
    {
        (this.settings, this.messages, this.options, this.time, this.logger, this.connection, this.channel) = (settings, messages, options, time, logger, connection, channel);
        closed = closing.Token;
    }

    /// <summary>Completed when the broker has ended it, with the reason.</summary>
    public Task<RabbitMqException> Ended => ended.Task;

    /// <exception cref="RabbitMqException">It does not consume; says why.</exception>
    public static async Task<StatisticsQueue> Open(RabbitMqSettings settings, StatisticsMessages messages, RabbitMqOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var connection = await RabbitMqConnection.Open(settings, options.Node, cancellationToken);
        try
        {
            // Each message waits for a commit: handled one after another, every batch would hold one.
            var channel = await connection.CreateChannelAsync(
                new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, consumerDispatchConcurrency: options.Prefetch), cancellationToken);
            await RabbitMqTopology.Declare(channel, settings, cancellationToken);
            var queue = new StatisticsQueue(settings, messages, options, time, logger, connection, channel);
            await queue.Consume(cancellationToken);
            return queue;
        }
        catch (Exception problem)
        {
            await connection.DisposeAsync();
            if (RabbitMqException.IsBrokers(problem, cancellationToken))
            {
                throw RabbitMqException.Of(settings, problem);
            }

            throw;
        }
    }

    /// <summary>What is not acknowledged by then, the broker gives to another consumer, or to the next one.</summary>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await connection.DisposeAsync();
        closing.Dispose();
    }

    private async Task Consume(CancellationToken cancellationToken)
    {
        channel.ChannelShutdownAsync += (_, reason) => End(reason.ReplyCode, reason.ReplyText);
        connection.ConnectionShutdownAsync += (_, reason) => End(reason.ReplyCode, reason.ReplyText);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) => Take(message);
        consumer.UnregisteredAsync += (_, _) => End(0, "the queue was removed");
        await channel.BasicQosAsync(0, options.Prefetch, global: false, cancellationToken);
        await channel.BasicConsumeAsync(settings.Queue, autoAck: false, consumer, cancellationToken);
    }

    private Task End(ushort code, string text)
    {
        ended.TrySetResult(RabbitMqException.Of(settings, new OperationInterruptedException(new ShutdownEventArgs(ShutdownInitiator.Peer, code, text))));
        return Task.CompletedTask;
    }

    private async Task Take(BasicDeliverEventArgs message)
    {
        try
        {
            if (await IsDone(message))
            {
                await channel.BasicAckAsync(message.DeliveryTag, multiple: false, closed);
            }
            else
            {
                await channel.BasicNackAsync(message.DeliveryTag, multiple: false, requeue: true, closed);
            }
        }
        catch (Exception problem) when (closed.IsCancellationRequested || RabbitMqException.IsBrokers(problem, closed))
        {
            // Without the acknowledgement it comes again, and its records are known then. A channel that lives on would wait for it, so it does not.
            ended.TrySetResult(RabbitMqException.Of(settings, problem));
        }
    }

    /// <returns>False where it is to come again.</returns>
    private async Task<bool> IsDone(BasicDeliverEventArgs message)
    {
        try
        {
            if (message.BasicProperties.Type != StatisticsMessages.Probe)
            {
                await AcceptOrBury(message);
            }

            failures = 0;
            return true;
        }
        catch (Exception problem) when (!closed.IsCancellationRequested && !RabbitMqException.IsBrokers(problem, closed))
        {
            if (problem is not IngestionBusyException && !StatisticsConsumer.IsDatabases(problem))
            {
                logger.LogError(problem, "A message of RabbitMQ could not be stored; it is tried again");
            }

            await Task.Delay(Pause(), time, closed);
            return false;
        }
    }

    private async Task AcceptOrBury(BasicDeliverEventArgs message)
    {
        try
        {
            await messages.Accept(message.BasicProperties, message.Body, closed);
        }
        catch (Exception problem) when (problem is RefusedMessageException or InvalidInputException)
        {
            await Bury(message, problem.Message);
        }
    }

    private TimeSpan Pause()
    {
        var doublings = Math.Min(Interlocked.Increment(ref failures) / options.Prefetch, 10);
        return TimeSpan.FromTicks(Math.Min(options.FirstPause.Ticks << doublings, options.LongestPause.Ticks));
    }

    private async Task Bury(BasicDeliverEventArgs message, string reason)
    {
        // Not all that came with it: some properties make the broker refuse the message of another user, and it would come again for ever.
        var properties = new BasicProperties
        {
            Persistent = true, Type = message.BasicProperties.Type, ContentType = message.BasicProperties.ContentType,
            Headers = StatisticsMessages.Headers.ToDictionary(name => name, name => (object?)StatisticsMessages.Header(message.BasicProperties, name)),
        };
        properties.Headers["reason"] = reason.Length > LongestReason ? reason[..LongestReason] : reason;
        var body = message.Body.Length > StatisticsMessages.LargestBody ? message.Body[..MostKeptOfTooLarge] : message.Body;
        await channel.BasicPublishAsync(RabbitMqTopology.Dead(settings.Exchange), "", mandatory: true, properties, body, closed);

        // A flood of them is told by the queue itself; the log names the first, the tenth, the hundredth.
        if (Math.Log10(Interlocked.Increment(ref refused)) is var power && power == Math.Floor(power))
        {
            logger.LogWarning("Refused message {Count} of this connection, kept in {Queue}: {Reason}", refused, RabbitMqTopology.Dead(settings.Queue), reason);
        }
    }
}
