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

    /// <summary>Whose folder of the product this is.</summary>
    public static HostLogin OfFolder(string folder) => folder == Root.Folder ? Root : new HostLogin(LoginKind.Docker, folder[..Math.Max(0, folder.LastIndexOf('/'))]);

    /// <summary>Everything of the product lies below it: root's own folder, or one of the user's own where there is no root.</summary>
    public string Folder => Kind == LoginKind.Docker ? OwnFolder : "/var/lib/managed-servers";

    /// <summary>Below the user's home. Where there is root, it holds the commands that operators run without root, and those only.</summary>
    public string OwnFolder => $"{Home}/.managed-servers";

    /// <summary>What containers need beside what their programs need: without root, the folders that they work in belong to the user, and a container's root without
    /// capabilities is nobody there.</summary>
    public IReadOnlyList<string> ContainerCapabilities => Kind == LoginKind.Docker ? ["DAC_OVERRIDE"] : [];

    /// <summary>For messages: <c>deploy, root through sudo</c>.</summary>
    public static string Words(LoginKind kind, SshUser user) => kind switch
    {
        LoginKind.Root => $"{user}, root itself",
        LoginKind.Sudo => $"{user}, root through sudo",
        _ => $"{user}, in the group docker, never root",
    };
}
