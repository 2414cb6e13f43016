using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.RabbitMq;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>Whether the host reaches the broker to which its monitor is to send.</summary>
internal static class BrokerCheck
{
    private const string Name = "RabbitMQ";

    /// <param name="broker">Null where it is not enabled.</param>
    public static async Task<Check> Of(IHost host, RabbitMqSettings? broker, CancellationToken cancellationToken)
    {
        if (broker is null)
        {
            return Check.Of(Name, false, "RabbitMQ is not enabled in the product", "RabbitMQ, by which the monitor is to send", "Enable it (msctl settings rabbitmq set --enable), or install with --statistics https");
        }

        var reached = await host.CanReachBroker(broker.Host, broker.Port, broker.Tls ? broker.Authority : null, cancellationToken);
        return Check.Of(Name, reached.Reached, reached.Reached ? $"{broker.Host} port {broker.Port} answers" : $"{broker.Host} port {broker.Port}: {reached.Why}", "RabbitMQ reachable from the host",
            "Open the way from the host to the broker, or let the monitor send to the product itself: --statistics https") with { Mendable = true };
    }
}
