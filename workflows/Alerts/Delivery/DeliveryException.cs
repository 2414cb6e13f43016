namespace ManagedServers.Workflows.Alerts;

/// <summary>A message was not delivered. The message says what was tried, what came back and what to do.</summary>
/// <param name="message">For the operator.</param>
/// <param name="isFinal">Trying again cannot help.</param>
/// <param name="inner">What came back.</param>
public sealed class DeliveryException(string message, bool isFinal = false, Exception? inner = null) : Exception(message, inner)
{
    public bool IsFinal { get; } = isFinal;
}
