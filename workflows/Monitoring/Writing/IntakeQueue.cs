using System.Threading.Channels;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>The one bounded channel between whatever receives reports and the one writer. Bounded by records, because a report has one or twenty thousand.</summary>
internal sealed class IntakeQueue(MonitoringOptions options)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private readonly Channel<Delivery> channel = Channel.CreateUnbounded<Delivery>(new UnboundedChannelOptions { SingleReader = true });
    private long waiting;

    /// <exception cref="IngestionBusyException">No room.</exception>
    public void Enqueue(Delivery delivery)
    {
        if (Interlocked.Add(ref waiting, delivery.Weight) > options.QueueLimit || !channel.Writer.TryWrite(delivery))
        {
            Interlocked.Add(ref waiting, -delivery.Weight);
            throw new IngestionBusyException("More measurements arrive than can be written just now. Keep them and send them again later.", RetryAfter);
        }
    }

    public ValueTask<bool> WaitToRead(CancellationToken cancellationToken) => channel.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>What is there, up to the size of a batch.</summary>
    public List<Delivery> Take()
    {
        var batch = new List<Delivery>();
        var weight = 0;
        while (weight < options.BatchLimit && channel.Reader.TryRead(out var delivery))
        {
            batch.Add(delivery);
            weight += delivery.Weight;
        }

        return batch;
    }

    /// <summary>Makes room again, once written or given up.</summary>
    public void Finished(IEnumerable<Delivery> batch) => Interlocked.Add(ref waiting, -batch.Sum(d => d.Weight));

    public void Close() => channel.Writer.TryComplete();
}
