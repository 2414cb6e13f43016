namespace ManagedServers.Workflows.Hosts;

/// <summary>How connections to hosts behave.</summary>
public sealed record HostsOptions
{
    /// <summary>For the TCP connection, the key exchange and the login, each.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection without work is kept for whoever comes next.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>While a command runs, how often the host is asked whether it is still there.</summary>
    public TimeSpan PulseInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a host may take to answer that, and to start a command, before its connection counts as lost. A busy disk can take its time.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Channels at once on one connection. OpenSSH allows 10; two are left for the pulse and for good measure.</summary>
    public int MaxChannels { get; init; } = 8;
}
