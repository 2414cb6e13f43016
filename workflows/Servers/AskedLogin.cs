using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <summary>What an operator says of a login.</summary>
internal static class AskedLogin
{
    /// <summary>Null for <c>auto</c>.</summary>
    public static LoginKind? Parse(string? text, InputErrors errors)
    {
        switch (text?.Trim().ToLowerInvariant())
        {
            case null or "" or "auto":
                return null;
            case "root":
                return LoginKind.Root;
            case "sudo":
                return LoginKind.Sudo;
            case "docker":
                return LoginKind.Docker;
            default:
                errors.Add("login", "must be auto, root, sudo or docker");
                return null;
        }
    }
}
