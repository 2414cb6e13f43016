using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>The one way in for what hosts measure: checked, queued within a bound, stored in batches; the answer comes after the commit.</summary>
public sealed class Ingestion
{
    private readonly IntakeQueue queue;
    private readonly MonitoringOptions options;
    private readonly CurrentMonitoring current;
    private readonly TimeProvider time;

    internal Ingestion(IntakeQueue queue, MonitoringOptions options, CurrentMonitoring current, TimeProvider time) =>
        (this.queue, this.options, this.current, this.time) = (queue, options, current, time);

    public IntakeTotals Totals { get; } = new();

    /// <param name="serverId">The server whose token came with the request, never one from the body.</param>
    /// <exception cref="InvalidInputException">A field breaks its rule; nothing was stored.</exception>
    /// <exception cref="IngestionBusyException">Nothing was stored; try again later.</exception>
    public async Task<Accepted> Accept(Guid serverId, HeartbeatReport report, CancellationToken cancellationToken = default) =>
        await Accept(Delivery.Agent, () => HeartbeatRules.Check(serverId, report, time.GetUtcNow(), options), cancellationToken) with { Settings = current.Agent, Agent = PayloadFiles.AgentDigest };

    /// <inheritdoc cref="Accept(Guid, HeartbeatReport, CancellationToken)"/>
    /// <param name="waited">How long a beat waits to be fetched, and is not late for that.</param>
    public Task<Accepted> Accept(Guid serverId, HeartbeatReport report, TimeSpan waited, CancellationToken cancellationToken = default) =>
        Accept(Delivery.Agent, () => HeartbeatRules.Check(serverId, report, time.GetUtcNow(), options with { Grace = options.Grace + waited }), cancellationToken);

    /// <inheritdoc cref="Accept(Guid, HeartbeatReport, CancellationToken)"/>
    public async Task<Accepted> Accept(Guid serverId, DnsReport report, CancellationToken cancellationToken = default) =>
        await Accept(Delivery.Monitor, () => DnsRules.Check(serverId, report, time.GetUtcNow(), options), cancellationToken) with { Settings = current.Monitor };

    /// <inheritdoc cref="Accept(Guid, HeartbeatReport, CancellationToken)"/>
    /// <param name="sentAt">In our clock: it may have lain in a queue since, and what it says is older by that.</param>
    public Task<Accepted> Accept(Guid serverId, DnsReport report, DateTimeOffset sentAt, CancellationToken cancellationToken = default) =>
        Accept(Delivery.Monitor, () => DnsRules.Check(serverId, report, time.GetUtcNow(), options, sentAt), cancellationToken);

    /// <summary>For a monitor whose reports come another way, so that nobody answers them.</summary>
    public Greeting Greet() => new(time.GetUtcNow(), current.Monitor);

    private async Task<Accepted> Accept(string kind, Func<Delivery> check, CancellationToken cancellationToken)
    {
        try
        {
            var delivery = check();
            queue.Enqueue(delivery);
            // A sender that hangs up is not waited for; what it sent may still be stored, and then its next try is a duplicate.
            var accepted = await delivery.Done.Task.WaitAsync(cancellationToken);
            Totals.Accept(kind, accepted);
            return accepted;
        }
        catch (Exception exception) when (exception is InvalidInputException or IngestionBusyException)
        {
            Totals.Refuse(kind, exception is InvalidInputException ? "broken" : "busy");
            throw;
        }
    }
}
