namespace ManagedServers.Workflows.Hosts;

/// <summary>What a login may do on its host, as it was found. A null problem means that it may.</summary>
public sealed record LoginFacts
{
    public required int UserId { get; init; }

    /// <summary>Null when files cannot be kept there.</summary>
    public required string? Home { get; init; }

    /// <summary>Why sudo does not make it root without a password, in sudo's words.</summary>
    public required string? SudoProblem { get; init; }

    /// <summary>Why it may not use Docker. An engine that does not run is no such reason.</summary>
    public required string? DockerProblem { get; init; }

    /// <summary>Takes what was asked for, or the first that works of root, sudo and docker.</summary>
    /// <exception cref="HostRejectedException">The login may do none of it; tells what was found and the command that helps.</exception>
    public HostLogin Choose(LoginKind? asked, HostTarget target)
    {
        LoginKind[] order = asked is { } one ? [one] : [LoginKind.Root, LoginKind.Sudo, LoginKind.Docker];
        foreach (var kind in order.Where(k => Problem(k) is null))
        {
            return new HostLogin(kind, Home ?? "/");
        }

        var found = string.Join(" ", order.Select(k => $"{Word(k)}: {Problem(k)}."));
        var help = order.Where(k => k != LoginKind.Root).Select(k => k == LoginKind.Sudo ? Sudo.Grant(target.User, SudoProblem!) : $"usermod -aG docker {target.User}");
        throw new HostRejectedException(HostProblem.LoginInsufficient,
            $"User {target.User} cannot manage {target}. {found} {(asked == LoginKind.Root ? "Log in as root, or say what the user is (login: sudo or docker)." : $"What helps, as root there: {string.Join("  or  ", help)}")}")
        {
            Field = "login",
        };
    }

    /// <summary>Why the login cannot be used as that; null when it can.</summary>
    public string? Problem(LoginKind kind) => kind switch
    {
        LoginKind.Root => UserId == 0 ? null : $"its user id is {UserId}",
        LoginKind.Sudo => SudoProblem,
        _ => DockerProblem ?? (Home is null ? "its home folder cannot be written, is not there, or has a colon or a control character in its name" : null),
    };

    private static string Word(LoginKind kind) => kind.ToString().ToLowerInvariant();
}
