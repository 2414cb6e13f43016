namespace ManagedServers.Lab;

/// <summary>What a lab host is like. Without options: root with a random password, Docker, Python 3.</summary>
public sealed record LabOptions
{
    /// <summary>The host's name; a random one when it is null.</summary>
    public string? Name { get; init; }

    /// <summary>A public key in OpenSSH's one-line form that root signs in with, beside the password.</summary>
    public string? AuthorizedKey { get; init; }

    public bool Docker { get; init; } = true;

    public bool Python { get; init; } = true;

    /// <summary>systemd as process 1, as on most servers; without it a host is up sooner.</summary>
    public bool Systemd { get; init; }

    public IReadOnlyList<LabUser> Users { get; init; } = [];

    /// <summary>Folders that are file systems of their own with a limit, such as "16m" or "200k", for full disks. Empty after a reboot.</summary>
    public IReadOnlyDictionary<string, string> SmallFolders { get; init; } = new Dictionary<string, string>();

    /// <summary>Networks of the lab that this machine is not in, by names that the test makes up: only hosts that share one reach each other there.</summary>
    public IReadOnlyList<string> InnerNetworks { get; init; } = [];

    /// <summary>Of the networks that this machine reaches, the one that it is in, by a name that the test makes up: hosts and clients of one segment hear each other's broadcasts.</summary>
    public string Segment { get; init; } = "";

    /// <summary>Whether it is in a network that this machine reaches, too. Without it the host needs an inner network.</summary>
    public bool Reachable { get; init; } = true;

    /// <summary>Shell lines that run as root before the host's first service starts.</summary>
    public string? Setup { get; init; }

    /// <summary>Whose the host is: when that process is gone, the next lab removes what it left. This process by default.</summary>
    public LabOwner Owner { get; init; } = LabOwner.ThisProcess;
}

/// <summary>A user besides root; without groups it may do nothing with Docker, and without sudo nothing as root.</summary>
public sealed record LabUser
{
    public required string Name { get; init; }
    public required string Password { get; init; }
    public string? AuthorizedKey { get; init; }
    public IReadOnlyList<string> Groups { get; init; } = [];
    public bool Sudo { get; init; }
    public string Shell { get; init; } = "/bin/bash";
}
