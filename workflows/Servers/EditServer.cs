namespace ManagedServers.Workflows.Servers;

/// <summary>What an operator changes about a server; null leaves a thing as it is.</summary>
public sealed record EditServer
{
    public string? Name { get; init; }
    public string? Address { get; init; }
    public int? SshPort { get; init; }
    public string? SshUser { get; init; }
    public string? Password { get; init; }
    public string? PrivateKey { get; init; }
    public string? Passphrase { get; init; }

    /// <summary>The fingerprint that the operator accepts, where the host presents another key than the pinned one.</summary>
    public string? HostKey { get; init; }

    /// <summary>The name of the SSH route to the host; empty: the product reaches it directly.</summary>
    public string? SshRoute { get; init; }

    /// <summary>Empty: the product's own address.</summary>
    public string? ApiAddress { get; init; }

    /// <summary>As for <see cref="AddServer"/>; another user is looked at anew.</summary>
    public string? Login { get; init; }

    /// <summary>As for <see cref="AddServer"/>; the host is looked at anew.</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>Why, for the server's history.</summary>
    public string? Reason { get; init; }

    /// <summary>The way to the host changes: it is proven before anything is kept.</summary>
    internal bool ChangesTheWay => Address is not null || SshPort is not null || SshUser is not null || ChangesCredential || HostKey is not null || SshRoute is not null || Login is not null || OperatingSystem is not null;

    internal bool ChangesCredential => Password is not null || PrivateKey is not null || Passphrase is not null;

    // Printed nowhere: a record prints all its members otherwise, and three of them are secrets.
    public override string ToString() => nameof(EditServer);
}

/// <summary>One entry of a server's history.</summary>
public sealed record ServerEvent(DateTimeOffset At, string Who, string What, string? Why);
