namespace ManagedServers.Workflows.Hosts;

/// <summary>What a host says about itself.</summary>
public sealed record HostFacts
{
    /// <summary><c>ID</c> of os-release, for example <c>debian</c>; empty when unknown.</summary>
    public required string OsId { get; init; }

    /// <summary><c>ID_LIKE</c> of os-release, for example <c>rhel fedora</c>.</summary>
    public required string OsLike { get; init; }

    /// <summary><c>VERSION_ID</c> of os-release.</summary>
    public required string OsVersion { get; init; }

    public required string OsName { get; init; }

    /// <summary>For messages.</summary>
    public string SystemName => OsName.Length > 0 ? OsName : "a system without /etc/os-release";

    /// <summary>Whose tools and habits it has.</summary>
    public OsFamily Family => OsFamilies.Of(OsId, OsLike);

    /// <summary><c>uname -m</c>, for example <c>x86_64</c>.</summary>
    public required string Architecture { get; init; }

    public required string Kernel { get; init; }

    public required string HostName { get; init; }

    /// <summary>For example <c>3.11.2</c>; null when there is no python3.</summary>
    public required string? PythonVersion { get; init; }

    /// <summary>Null when there is no <c>docker</c> command.</summary>
    public required string? DockerClientVersion { get; init; }

    /// <summary>Null when the daemon did not answer; then <see cref="DockerProblem"/> says why.</summary>
    public required string? DockerServerVersion { get; init; }

    /// <summary>By folder, why nothing could be put there.</summary>
    public IReadOnlyDictionary<string, string> Unusable { get; init; } = new Dictionary<string, string>();

    public required string? DockerProblem { get; init; }

    /// <summary>What answers to <c>docker</c> is Podman, which has no engine that keeps containers running.</summary>
    public required bool DockerIsPodman { get; init; }

    public required IReadOnlyList<DiskFact> Disks { get; init; }

    public required long MemoryTotalBytes { get; init; }

    public required long MemoryAvailableBytes { get; init; }

    public required IReadOnlyList<ListeningPort> Listening { get; init; }

    /// <summary>The host's own addresses, loopback among them; empty when the kernel does not tell them.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Names of the interfaces that are up and in an IPv4 network, without those that Docker made; empty when the kernel does not tell them.</summary>
    public required IReadOnlyList<string> Interfaces { get; init; }

    public required DateTimeOffset Clock { get; init; }

    /// <summary>Host's clock minus the product's, from the middle of the round trip.</summary>
    public required TimeSpan ClockOffset { get; init; }

    public required bool HasSystemd { get; init; }

    public required int UserId { get; init; }

    /// <summary><c>enforcing</c>, <c>permissive</c>, <c>disabled</c>; null when there is no SELinux.</summary>
    public required string? SELinux { get; init; }

    /// <summary><c>firewalld</c> or <c>ufw</c>, when it is at work; null when neither is, or the login may not know.</summary>
    public required string? Firewall { get; init; }

    /// <summary>Services and ports that it lets in, in its own words (<c>dns</c>, <c>53/udp</c>); null when the login may not know.</summary>
    public required IReadOnlyList<string>? FirewallOpens { get; init; }
}

/// <param name="Path">As asked.</param>
public sealed record DiskFact(string Path, string Mount, long TotalBytes, long FreeBytes);

/// <param name="Protocol"><c>udp</c> or <c>tcp</c>.</param>
/// <param name="Process">Its name, when the login may see it.</param>
public sealed record ListeningPort(string Protocol, string Address, int Port, string? Process);
