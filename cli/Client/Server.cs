namespace ManagedServers.Cli.Client;

/// <summary>A managed host.</summary>
public sealed record Server
{
    /// <summary>Identifier.</summary>
    public required Guid Id { get; init; }

    /// <summary>Display name, unique.</summary>
    public required string Name { get; init; }

    /// <summary><c>automatic</c> over SSH, or <c>manual</c>: whoever installs runs a line on the host.</summary>
    public string? Installation { get; init; }

    /// <summary>Address or name that the product dials over SSH.</summary>
    public string? Address { get; init; }

    /// <summary>Port of its SSH server.</summary>
    public int? SshPort { get; init; }

    /// <summary>Who the product logs in as.</summary>
    public string? SshUser { get; init; }

    /// <summary><c>password</c> or <c>key</c>; the secret itself is never given out.</summary>
    public string? Authentication { get; init; }

    /// <summary>What that user may do: <c>root</c>, <c>sudo</c> or <c>docker</c>.</summary>
    public string? Login { get; init; }

    /// <summary>Where everything of the product lies on the host.</summary>
    public string? Folder { get; init; }

    /// <summary><c>debian</c>, <c>ubuntu</c>, <c>redHat</c> or <c>other</c>.</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>The host key that was accepted.</summary>
    public HostKey? HostKey { get; init; }

    /// <summary>The SSH route to it; none when the product reaches it directly.</summary>
    public string? SshRoute { get; init; }

    /// <summary>Where the host reaches the product.</summary>
    public string? ApiAddress { get; init; }

    /// <summary><c>https</c> or <c>rabbitmq</c>: how its monitor sends what it counts; <c>pull</c>: the product fetches that, and the agent's heartbeats.</summary>
    public string? Statistics { get; init; }

    /// <summary><c>new</c>, <c>installing</c>, <c>uninstalling</c>, <c>starting</c>, <c>running</c>, <c>drifted</c>, <c>stopped</c>, <c>failed</c> or <c>unreachable</c>.</summary>
    public required string State { get; init; }

    /// <summary>Why it is in that state, in plain words.</summary>
    public string? StateReason { get; init; }

    /// <summary>Why its last run is paused; null when it is not.</summary>
    public string? PausedRun { get; init; }

    /// <summary>Why nobody knows whether its host is as it was asked to be; null where somebody has looked.</summary>
    public string? DriftProblem { get; init; }

    /// <summary>Why its statistics could not be fetched, three times in a row or more often; null otherwise.</summary>
    public string? PullProblem { get; init; }

    /// <summary>What is installed.</summary>
    public IReadOnlyList<Component> Components { get; init; } = [];

    /// <summary>Its last beats.</summary>
    public HeartbeatSummary? Heartbeat { get; init; }

    /// <summary>When it was added.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Its newest run.</summary>
    public Guid? LastRunId { get; init; }
}

/// <summary>An SSH host key.</summary>
/// <param name="Algorithm">For example <c>ssh-ed25519</c>.</param>
/// <param name="Fingerprint"><c>SHA256:</c> and base64, as OpenSSH prints it.</param>
public sealed record HostKey(string Algorithm, string Fingerprint);

/// <summary>A component on a server.</summary>
/// <param name="Name"><c>dns</c>, <c>monitor</c>, …</param>
/// <param name="Version">What is installed.</param>
/// <param name="State"><c>running</c> or <c>stopped</c>.</param>
public sealed record Component(string Name, string? Version, string? State);

/// <summary>The heartbeat bar in numbers.</summary>
public sealed record HeartbeatSummary
{
    /// <summary>Beats that were due in the window.</summary>
    public int Due { get; init; }

    /// <summary>Beats that came in time.</summary>
    public int Received { get; init; }

    /// <summary><c>starting</c>, <c>healthy</c>, <c>degraded</c>, <c>silent</c> or <c>none</c>.</summary>
    public string? Status { get; init; }

    /// <summary>The newest beat.</summary>
    public DateTimeOffset? LastAt { get; init; }

    /// <summary>All beats ever; only given with the list of beats.</summary>
    public long? Total { get; init; }
}

/// <summary>A server to be added. It carries a secret: it is sent, never printed.</summary>
public sealed record NewServer
{
    /// <summary>Display name.</summary>
    public required string Name { get; init; }

    /// <summary><c>manual</c> where the product shall have no login; automatic when null.</summary>
    public string? Installation { get; init; }

    /// <summary>Address or name to dial.</summary>
    public string? Address { get; init; }

    /// <summary>Port of its SSH server; 22 when null.</summary>
    public int? SshPort { get; init; }

    /// <summary>Who to log in as; root when null.</summary>
    public string? SshUser { get; init; }

    /// <summary>Password; or a private key.</summary>
    public string? Password { get; init; }

    /// <summary>Private key in PEM or OpenSSH format.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>Passphrase of the private key.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Fingerprint of the host key that the operator accepted.</summary>
    public string? HostKey { get; init; }

    /// <summary>The SSH route to it; none when the product reaches it directly.</summary>
    public string? SshRoute { get; init; }

    /// <summary>Where the host reaches the product; the product's own setting when null.</summary>
    public string? ApiAddress { get; init; }

    /// <summary><c>root</c>, <c>sudo</c> or <c>docker</c>; what works when null.</summary>
    public string? Login { get; init; }

    /// <summary><c>debian</c>, <c>ubuntu</c> or <c>redhat</c>; what is found when null.</summary>
    public string? OperatingSystem { get; init; }
}

/// <summary>What is changed about a host; null leaves a thing as it is.</summary>
public sealed record ServerChange
{
    /// <summary>Display name.</summary>
    public string? Name { get; init; }

    /// <summary>Address or name to dial.</summary>
    public string? Address { get; init; }

    /// <summary>Port of its SSH server.</summary>
    public int? SshPort { get; init; }

    /// <summary>Who to log in as.</summary>
    public string? SshUser { get; init; }

    /// <summary>Password; or a private key.</summary>
    public string? Password { get; init; }

    /// <summary>Private key in PEM or OpenSSH format.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>Passphrase of the private key.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Fingerprint that the operator accepted, where the host presents another key than before.</summary>
    public string? HostKey { get; init; }

    /// <summary>The SSH route to it; empty to reach it directly.</summary>
    public string? SshRoute { get; init; }

    /// <summary>Where the host reaches the product; empty for the product's own setting.</summary>
    public string? ApiAddress { get; init; }

    /// <summary><c>root</c>, <c>sudo</c>, <c>docker</c> or <c>auto</c>.</summary>
    public string? Login { get; init; }

    /// <summary><c>debian</c>, <c>ubuntu</c>, <c>redhat</c> or <c>auto</c>: the host is looked at anew.</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>Why, for the history.</summary>
    public string? Reason { get; init; }
}

/// <summary>Whose host key is asked for.</summary>
/// <param name="Address">Address or name to dial.</param>
/// <param name="SshPort">Port of its SSH server.</param>
/// <param name="SshRoute">The SSH route to it; none when the product reaches it directly.</param>
public sealed record ProbeRequest(string Address, int SshPort, string? SshRoute = null);

/// <summary>The answer of a connection test.</summary>
/// <param name="Ok">Every check passed, apart from what is left for root to do.</param>
/// <param name="Checks">What was looked at.</param>
public sealed record TestResult(bool Ok, IReadOnlyList<Check> Checks);

/// <summary>One check of a connection test.</summary>
/// <param name="Name">For example <c>python</c>.</param>
/// <param name="Ok">Whether it passed.</param>
/// <param name="Found">What is there.</param>
/// <param name="Needed">What must be there.</param>
/// <param name="Fix">The command that helps.</param>
/// <param name="RootStep">It failed, and an install will wait until somebody has done as root what <paramref name="Fix"/> says.</param>
public sealed record Check(string Name, bool Ok, string? Found, string? Needed, string? Fix, bool RootStep = false);
