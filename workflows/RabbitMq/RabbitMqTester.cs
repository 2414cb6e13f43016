using RabbitMQ.Client;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>Signs in as the product and as a host would, and does there what each of them does.</summary>
public sealed class RabbitMqTester(RabbitMqSettingsStore store)
{
    private const string ProbeLifetime = "60000"; // milliseconds, as AMQP has it

    /// <param name="change">Tried in place of what is stored, and not kept; null tries what is stored.</param>
    /// <exception cref="InvalidInputException">A field breaks its rule, or there is nothing to try.</exception>
    public async Task<RabbitMqTest> Run(RabbitMqChange? change, CancellationToken cancellationToken = default)
    {
        // As if it were enabled: a test comes before.
        var settings = RabbitMqRules.Apply(await store.Read(cancellationToken), (change ?? new RabbitMqChange()) with { Enabled = true });
        var product = await Check("product", settings, Declare, cancellationToken);
        var host = product.Ok ? await Check("host", settings.ForHosts, Send, cancellationToken) : new RabbitMqCheck("host", false, "not tried, because the product itself is not let in");
        return new RabbitMqTest(product.Ok && host.Ok, [product, host]);
    }

    private static Task Declare(IChannel channel, RabbitMqSettings settings, CancellationToken cancellationToken) => RabbitMqTopology.Declare(channel, settings, cancellationToken);

    /// <summary>Whoever takes it from the queue lets it go.</summary>
    private static async Task Send(IChannel channel, RabbitMqSettings settings, CancellationToken cancellationToken) =>
        await channel.BasicPublishAsync(settings.Exchange, RabbitMqTopology.RoutingKey, mandatory: true,
            new BasicProperties { Type = StatisticsMessages.Probe, Expiration = ProbeLifetime }, ReadOnlyMemory<byte>.Empty, cancellationToken);

    private static async Task<RabbitMqCheck> Check(string name, RabbitMqSettings settings, Func<IChannel, RabbitMqSettings, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await RabbitMqConnection.Open(settings, "test", cancellationToken);
            try
            {
                await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
                await act(channel, settings, cancellationToken);
                return new RabbitMqCheck(name, true, null);
            }
            catch (Exception problem) when (RabbitMqException.IsBrokers(problem, cancellationToken))
            {
                return new RabbitMqCheck(name, false, RabbitMqException.Of(settings, problem).Message);
            }
        }
        catch (RabbitMqException problem)
        {
            return new RabbitMqCheck(name, false, problem.Message);
        }
    }
}
