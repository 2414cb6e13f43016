namespace ManagedServers.Workflows.Hosts;

/// <summary>What a login may do on its host.</summary>
public enum LoginKind
{
    Root,

    /// <summary>A user whom sudo lets become root without a password.</summary>
    Sudo,

    /// <summary>A user in the group docker, who never becomes root.</summary>
    Docker,
}

/// <summary>As whom the product works on a host, and where.</summary>
/// <param name="Home">The user's home folder, absolute.</param>
public sealed record HostLogin(LoginKind Kind, string Home)
{
    public static HostLogin Root { get; } = new(LoginKind.Root, "/root");

    /// <summary>Everything of the product lies below it: root's own folder, or one of the user's own where there is no root.</summary>
    public string Folder => Kind == LoginKind.Docker ? $"{Home}/.managed-servers" : "/var/lib/managed-servers";
}
