namespace ManagedServers.Cli;

/// <summary>The operator asked for something that cannot be; nothing was sent.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="advice">What to do.</param>
internal sealed class UsageException(string message, string? advice = null) : Exception(message)
{
    public string? Advice { get; } = advice;
}

/// <summary>There are no credentials to send.</summary>
internal sealed class NotSignedInException(string message, string advice) : Exception(message)
{
    public string Advice { get; } = advice;
}
