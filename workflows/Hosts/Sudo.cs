namespace ManagedServers.Workflows.Hosts;

/// <summary>What is known of sudo.</summary>
internal static class Sudo
{
    /// <summary>Before a command. Never asks; root's own home, whatever the host's rules keep of the caller's.</summary>
    public const string Words = "sudo -n -H --";

    /// <summary>The command, for root to paste, after which sudo does what the product needs. Its file sorts last, because sudo's last rule wins.</summary>
    /// <param name="said">What sudo said.</param>
    public static string Grant(SshUser user, string said)
    {
        var name = string.Concat(user.Text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? $"{c}" : $"\\{c}"));
        string[] lines = [$"{name} ALL=(ALL) NOPASSWD: ALL", .. said.Contains("tty", StringComparison.Ordinal) ? [$"Defaults:{name} !requiretty"] : Array.Empty<string>()];
        var install = said.Contains("not found", StringComparison.Ordinal) ? "apt-get install -y sudo || dnf install -y sudo; " : "";
        return $"{install}(umask 337; printf '%s\\n' {string.Join(' ', lines.Select(l => $"'{l}'"))} > /etc/sudoers.d/zz-managed-servers)";
    }

    public static HostRejectedException Refused(HostTarget target, string said) => new(HostProblem.SudoRefused,
        $"sudo does not make user {target.User} root on {target} without a password. It said: \"{said}\". As root there: {Grant(target.User, said)}");
}
