namespace ManagedServers.Workflows.Monitoring;

/// <summary>Nothing was stored: the queue is full or the database does not answer. The sender keeps its records and tries again (503 with <c>Retry-After</c>).</summary>
public sealed class IngestionBusyException(string message, TimeSpan retryAfter, Exception? inner = null) : Exception(message, inner)
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}
