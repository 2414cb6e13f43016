using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <summary>What an operator says of a host; null is as it is found at the first contact.</summary>
internal sealed record Expected(LoginKind? Login, OsFamily? System)
{
    public static Expected Parse(string? login, string? system, InputErrors errors) => new(LoginOf(login, errors), SystemOf(system, errors));

    /// <exception cref="InvalidInputException">The host runs something else.</exception>
    public void RequireSystem(HostFacts found, HostTarget target)
    {
        if (System is { } family && family != found.Family)
        {
            throw new InvalidInputException("operatingSystem",
                $"is said to be {family.Name()}, but {target} says that it is {found.SystemName}. Either this is another host than the one that was meant, or leave it out");
        }
    }

    private static LoginKind? LoginOf(string? text, InputErrors errors)
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

    private static OsFamily? SystemOf(string? text, InputErrors errors)
    {
        switch (text?.Trim().ToLowerInvariant())
        {
            case null or "" or "auto":
                return null;
            case "debian":
                return OsFamily.Debian;
            case "ubuntu":
                return OsFamily.Ubuntu;
            case "redhat":
                return OsFamily.RedHat;
            default:
                errors.Add("operatingSystem", "must be auto, debian, ubuntu or redhat");
                return null;
        }
    }
}
