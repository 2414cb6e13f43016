using ManagedServers.Engine;

namespace ManagedServers.Workflows.Hosts;

/// <summary>A host problem that trying again cannot help.</summary>
public sealed class HostRejectedException(string code, string message, Exception? inner = null) : StepRejectedException(message, inner), IHostProblem
{
    public string Code { get; } = code;

    /// <summary>The input at fault, as the API calls it, for example <c>passphrase</c>; null when it is the host itself.</summary>
    public string? Field { get; init; }

    /// <summary>The key that the host presented, for <c>host-key-unknown</c> and <c>host-key-changed</c>.</summary>
    public HostKey? Presented { get; init; }

    /// <summary>The pinned key, for <c>host-key-changed</c>.</summary>
    public HostKey? Expected { get; init; }
}

/// <summary>A host problem that may pass by itself: it is retried.</summary>
public sealed class HostUnavailableException(string code, string message, Exception? inner = null) : Exception(message, inner), IHostProblem
{
    public string Code { get; } = code;
}

/// <summary>What both kinds of host problem have.</summary>
public interface IHostProblem
{
    /// <summary>Stable, one of <see cref="HostProblem"/>.</summary>
    string Code { get; }

    string Message { get; }
}

/// <summary>Stable codes of host problems.</summary>
public static class HostProblem
{
    // Rejections.
    public const string NameUnknown = "name-unknown";
    public const string HostKeyUnknown = "host-key-unknown";
    public const string HostKeyChanged = "host-key-changed";
    public const string AuthenticationFailed = "authentication-failed";
    public const string CredentialUnusable = "credential-unusable";
    public const string NotSsh = "not-ssh";
    public const string LoginInsufficient = "login-insufficient";
    public const string SudoRefused = "sudo-refused";
    public const string ShellRefused = "shell-refused";
    public const string PythonMissing = "python-missing";
    public const string DockerMissing = "docker-missing";
    public const string DockerPermission = "docker-permission";
    public const string DockerRefused = "docker-refused";
    public const string PermissionDenied = "permission-denied";
    public const string DiskFull = "disk-full";
    public const string ForwardingRefused = "forwarding-refused";
    public const string FileTooLong = "file-too-long";
    public const string CommandNeedsRoot = "command-needs-root";
    public const string CommandUnusable = "command-unusable";
    public const string CommandLost = "command-lost";

    // May pass by themselves.
    public const string Unreachable = "unreachable";
    public const string ConnectionRefused = "connection-refused";
    public const string ConnectionLost = "connection-lost";
    public const string DockerNotRunning = "docker-not-running";
    public const string DockerError = "docker-error";
    public const string CommandTimeout = "command-timeout";
    public const string CommandFailed = "command-failed";
}
