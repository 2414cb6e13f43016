using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Routes;

/// <summary>A stored chain of jump hosts, as it is shown: without its secrets.</summary>
public sealed record SshRoute
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }

    /// <summary>In the order in which they are gone through; the first one the product reaches directly.</summary>
    public required IReadOnlyList<SshHop> Hops { get; init; }

    /// <summary>The names of the servers that are reached through it.</summary>
    public required IReadOnlyList<string> Servers { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A jump host of a route.</summary>
public sealed record SshHop(string Address, int SshPort, string SshUser, Authentication Authentication, HostKey HostKey);

/// <summary>What an operator gives to store a route.</summary>
public sealed record AddRoute
{
    public string? Name { get; init; }
    public IReadOnlyList<HopRequest>? Hops { get; init; }
}

/// <summary>What an operator changes about a route; null leaves a thing as it is.</summary>
public sealed record EditRoute
{
    public string? Name { get; init; }

    /// <summary>All hops anew. One that is there with the same user, address and port keeps the credential and the host key that are not given.</summary>
    public IReadOnlyList<HopRequest>? Hops { get; init; }

    /// <summary>Why, for the route's history.</summary>
    public string? Reason { get; init; }
}

/// <summary>A jump host as an operator gives it.</summary>
public sealed record HopRequest
{
    public string? Address { get; init; }
    public int SshPort { get; init; } = 22;
    public string? SshUser { get; init; } = "root";
    public string? Password { get; init; }
    public string? PrivateKey { get; init; }
    public string? Passphrase { get; init; }

    /// <summary>The fingerprint that the operator accepts, <c>SHA256:…</c>.</summary>
    public string? HostKey { get; init; }

    // Printed nowhere: a record prints all its members otherwise, and three of them are secrets.
    public override string ToString() => $"{nameof(HopRequest)} {Address}";
}

/// <summary>How a jump host answered.</summary>
/// <param name="Problem">What went wrong; null when the login succeeded.</param>
public sealed record HopTest(string Host, bool Ok, double Milliseconds, string? Problem);

/// <summary>No route has this id or name.</summary>
public sealed class RouteNotFoundException(string idOrName)
    : Exception($"There is no SSH route '{(idOrName.Length > 100 ? idOrName[..100] + "…" : idOrName)}'. The names of all routes are listed by 'msctl routes list'.");
