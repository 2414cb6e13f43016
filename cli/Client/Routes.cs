namespace ManagedServers.Cli.Client;

/// <summary>A stored chain of jump hosts.</summary>
public sealed record Route
{
    /// <summary>Identifier.</summary>
    public required Guid Id { get; init; }

    /// <summary>Display name, unique.</summary>
    public required string Name { get; init; }

    /// <summary>In the order in which they are gone through.</summary>
    public IReadOnlyList<Hop> Hops { get; init; } = [];

    /// <summary>Names of the servers that are reached through it.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>When it was added.</summary>
    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>A jump host; its secret is never given out.</summary>
/// <param name="Address">Address or name.</param>
/// <param name="SshPort">Port of its SSH server.</param>
/// <param name="SshUser">Who the product logs in as.</param>
/// <param name="Authentication"><c>password</c> or <c>key</c>.</param>
/// <param name="HostKey">The host key that was accepted.</param>
public sealed record Hop(string Address, int SshPort, string? SshUser, string? Authentication, HostKey? HostKey);

/// <summary>A route to be added. It carries secrets: it is sent, never printed.</summary>
/// <param name="Name">Display name.</param>
/// <param name="Hops">In the order in which they are gone through.</param>
public sealed record NewRoute(string Name, IReadOnlyList<NewHop> Hops);

/// <summary>What is changed about a route; null leaves a thing as it is.</summary>
/// <param name="Name">Display name.</param>
/// <param name="Hops">All hops anew.</param>
/// <param name="Reason">Why, for the history.</param>
public sealed record RouteChange(string? Name, IReadOnlyList<NewHop>? Hops, string? Reason);

/// <summary>A jump host to be stored.</summary>
public sealed record NewHop
{
    /// <summary>Address or name, as the hop before it, or for the first one the product, reaches it.</summary>
    public required string Address { get; init; }

    /// <summary>Port of its SSH server.</summary>
    public required int SshPort { get; init; }

    /// <summary>Who to log in as.</summary>
    public required string SshUser { get; init; }

    /// <summary>Password; or a private key.</summary>
    public string? Password { get; init; }

    /// <summary>Private key in PEM or OpenSSH format.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>Passphrase of the private key.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Fingerprint of the host key that the operator accepted.</summary>
    public string? HostKey { get; init; }
}

/// <summary>The answer of a route's test.</summary>
/// <param name="Ok">Every hop can be used.</param>
/// <param name="Hops">How each answered.</param>
public sealed record RouteTest(bool Ok, IReadOnlyList<HopTest> Hops);

/// <summary>How a jump host answered.</summary>
/// <param name="Host">Its place in the route and its address.</param>
/// <param name="Ok">The login succeeded.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Problem">What went wrong.</param>
public sealed record HopTest(string Host, bool Ok, double Milliseconds, string? Problem);
