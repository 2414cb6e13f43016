using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Servers;

/// <summary>A managed host as it is kept; without its secrets.</summary>
public sealed record Server
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public InstallationType Installation { get; init; }

    /// <summary>Null where an operator installs by hand and gave none; what follows is null on each such server.</summary>
    public required string? Address { get; init; }
    public required int? SshPort { get; init; }
    public required string? SshUser { get; init; }
    public required Authentication? Authentication { get; init; }
    public required HostKey? HostKey { get; init; }

    /// <summary>Without meaning where an operator installs by hand.</summary>
    public required HostLogin Login { get; init; }

    /// <summary>As it was found when the host was registered; null where nobody has looked.</summary>
    public OsFamily? OperatingSystem { get; init; }

    public Guid? SshRouteId { get; init; }

    /// <summary>The address of the first jump host on that route.</summary>
    public string? FirstHop { get; init; }

    /// <summary>The name of the SSH route to the host; null where the product reaches it directly.</summary>
    public string? SshRoute { get; init; }

    /// <summary>The product's address as this host reaches it; the product's own default when null.</summary>
    public string? ApiAddress { get; init; }

    /// <summary>How its monitor sends what it counts. Heartbeats come over HTTPS, unless all of it is fetched.</summary>
    public StatisticsWay Statistics { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public Guid? LastRunId { get; init; }
    public required IReadOnlyList<InstalledComponent> Components { get; init; }

    /// <summary>Its name in a command line to copy.</summary>
    internal string Argument => RemoteCommandLine.Quote(Name);

    /// <summary>Runs about this server are found by it.</summary>
    public string Subject => SubjectOf(Id);

    public static string SubjectOf(Guid id) => $"server:{id}";
}

/// <summary>Who works on the host.</summary>
public enum InstallationType
{
    /// <summary>The product, over SSH.</summary>
    Automatic,

    /// <summary>An operator, who runs one line there; the product has no login.</summary>
    Manual,
}

/// <summary>How a monitor sends what it counts.</summary>
public enum StatisticsWay
{
    /// <summary>To the product itself.</summary>
    Https,

    /// <summary>To the broker of the RabbitMQ settings, from which the product takes it.</summary>
    Rabbitmq,

    /// <summary>It sends nothing, and neither does the agent: the product fetches what both have, over SSH.</summary>
    Pull,
}

/// <summary>How the product signs in on a host.</summary>
public enum Authentication
{
    Password,
    Key,
}

/// <summary>What a finished run left on a server.</summary>
/// <param name="Digest">Of the image's contents; null where an earlier release has installed it.</param>
/// <param name="ConfigurationDigest">Of the configuration's files on the host; null where an earlier release has put them there.</param>
/// <param name="Specification">Of the container; null where an earlier release has made it.</param>
/// <param name="StoppedBy">The run with which an operator has stopped it; null when it is to run.</param>
public sealed record InstalledComponent(
    string Name, string Version, string Image, string? Digest, string? ConfigurationDigest = null, string? Specification = null, Guid? StoppedBy = null);

/// <summary>What an operator gives to register a host.</summary>
public sealed record AddServer
{
    public string? Name { get; init; }
    public InstallationType Installation { get; init; }
    public string? Address { get; init; }
    public int SshPort { get; init; } = 22;
    public string? SshUser { get; init; } = "root";
    public string? Password { get; init; }
    public string? PrivateKey { get; init; }
    public string? Passphrase { get; init; }

    /// <summary>The fingerprint that the operator accepts, <c>SHA256:…</c>.</summary>
    public string? HostKey { get; init; }

    /// <summary>The name of the SSH route to the host; none or empty: the product reaches it directly.</summary>
    public string? SshRoute { get; init; }
    public string? ApiAddress { get; init; }

    /// <summary><c>debian</c>, <c>ubuntu</c> or <c>redhat</c>: compared with what is found. Left out, it is as it is found.</summary>
    public string? OperatingSystem { get; init; }

    /// <summary><c>root</c>, <c>sudo</c>, <c>docker</c>, or <c>auto</c>: the first of them that works.</summary>
    public string? Login { get; init; }

    // Printed nowhere: a record prints all its members otherwise, and three of them are secrets.
    public override string ToString() => $"{nameof(AddServer)} {Address}";
}
