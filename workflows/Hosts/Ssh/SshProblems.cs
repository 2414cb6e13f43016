using System.Net.Sockets;
using Renci.SshNet.Common;
using Renci.SshNet.Messages.Transport;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>From what SSH.NET and the sockets throw to what an operator can act on.</summary>
internal static class SshProblems
{
    public static Exception? OfHostKey(HostTarget target, HostKey? presented) => (target.PinnedKey, presented) switch
    {
        (_, null) => null,
        (null, { } found) => new HostRejectedException(HostProblem.HostKeyUnknown,
            $"The host key of {target} has not been accepted yet. It shows {found}. Compare with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on the host, then accept it.")
        { Presented = found },
        ({ } pinned, { } found) when pinned.Fingerprint != found.Fingerprint => new HostRejectedException(HostProblem.HostKeyChanged,
            $"The host key of {target} has changed: accepted was {pinned}, it now shows {found}. Nothing was sent to it. If the host was reinstalled, compare with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on its console and accept the new key{(target.AcceptKeyBy is { } command ? $": {command} — " : "; ")}otherwise somebody may be listening in.")
        { Presented = found, Expected = pinned },
        _ => null,
    };

    /// <param name="accepts">Something took the connection.</param>
    public static Exception OfConnect(Exception failure, string where, HostTarget? target, TimeSpan timeout, bool accepts) => failure switch
    {
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } => new HostRejectedException(HostProblem.NameUnknown,
            $"The name of {where} does not resolve to an address. Correct the address, or add the name to DNS.", failure)
        { Field = "address" },
        SocketException { SocketErrorCode: SocketError.TryAgain } => new HostUnavailableException(HostProblem.NameUnknown,
            $"The name of {where} could not be resolved: this machine's name server did not answer. Check /etc/resolv.conf here, or use an IP address.", failure),
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => new HostUnavailableException(HostProblem.ConnectionRefused,
            $"{where} refused the connection: the host is there, but no SSH server listens on that port. Start sshd or correct the port.", failure),
        SocketException { SocketErrorCode: SocketError.ConnectionReset } => Ended(where, failure),
        SocketException other => Unreachable(where, $"the network said \"{other.Message}\"", failure),
        SshOperationTimeoutException or TimeoutException when accepts => new HostUnavailableException(HostProblem.NotSsh,
            $"Something at {where} took the connection, and did not speak SSH within {timeout.TotalSeconds:0} s. Correct the port if sshd listens on another one; otherwise its sshd hangs or is overloaded: see its log.", failure),
        SshOperationTimeoutException or TimeoutException => Unreachable(where, $"no answer within {timeout.TotalSeconds:0} s", failure),
        SshAuthenticationException => Refused(where, target, failure),
        SshConnectionException { DisconnectReason: DisconnectReason.ProtocolError or DisconnectReason.ProtocolVersionNotSupported } => new HostRejectedException(HostProblem.NotSsh,
            $"What answers at {where} does not speak SSH. Correct the port.", failure)
        { Field = "sshPort" },
        SshConnectionException { DisconnectReason: DisconnectReason.KeyExchangeFailed } => new HostRejectedException(HostProblem.NotSsh,
            $"{where} and the product have no common SSH algorithms ({failure.Message}). Update OpenSSH on the host.", failure),
        SshException or ObjectDisposedException or IOException => Ended(where, failure),
        _ => failure,
    };

    /// <summary>For a connection that was open.</summary>
    public static Exception OfChannel(Exception failure, HostTarget target, string what) => failure switch
    {
        SshException full when IsFull(full) => new HostUnavailableException(HostProblem.ConnectionLost,
            $"{target} refused a further session on its connection for {what}. MaxSessions in its sshd_config must be at least 10.", failure),
        SshException or SocketException or ObjectDisposedException or IOException or TimeoutException or InvalidOperationException =>
            Lost(target, what, failure),
        _ => failure,
    };

    /// <summary>The host refuses a further session; the connection is well.</summary>
    public static bool IsFull(SshException failure) => failure.Message.StartsWith("Failed to open a channel", StringComparison.Ordinal);

    /// <summary>A host in between did not open the way to the next one.</summary>
    public static Exception OfTunnel(ChannelRefusal refusal, HostTarget hop, string where)
    {
        var said = $"it said \"{refusal.Said}\"";
        bool Says(params string[] words) => words.Any(w => refusal.Said.Contains(w, StringComparison.OrdinalIgnoreCase));
        return refusal switch
        {
            { Reason: ChannelRefusal.Prohibited } => new HostRejectedException(HostProblem.ForwardingRefused,
                $"{hop} does not let user {hop.User} connect on to {where}: {said}. Allow it in its sshd_config (AllowTcpForwarding, PermitOpen, DisableForwarding) or in the key's options in authorized_keys there."),
            _ when Says("not known", "no address associated") => new HostRejectedException(HostProblem.NameUnknown,
                $"{hop} does not know the name of {where}: {said}. Names behind a jump host are resolved there: correct the address, add the name there, or use an IP address.")
            { Field = "address" },
            _ when Says("name resolution") => new HostUnavailableException(HostProblem.NameUnknown,
                $"{hop} could not resolve the name of {where}: {said}. Check the name server of that jump host, or use an IP address."),
            _ when Says("refused") => new HostUnavailableException(HostProblem.ConnectionRefused,
                $"{where} refused the connection from {hop}: the host is there, but no SSH server listens on that port. Start sshd or correct the port."),
            _ => new HostUnavailableException(HostProblem.Unreachable,
                $"{where} cannot be reached from {hop}: {said}. Check that the host is up, the address and port are right and no firewall between the two drops the connection."),
        };
    }

    /// <summary>For a command that never began: the login has no shell for it, or sudo refuses.</summary>
    public static HostRejectedException OfStart(SshChannel channel, int exit, HostTarget target)
    {
        var said = HostCommandException.Tail($"{channel.Output.Noise}\n{channel.Error.Noise}".Trim(), 500);
        return said.Contains("password change required", StringComparison.OrdinalIgnoreCase) || said.Contains("password has expired", StringComparison.OrdinalIgnoreCase)
            ? new HostRejectedException(HostProblem.AuthenticationFailed, $"The password of user {target.User} on {target} has expired, and its sshd runs nothing before it is changed. Log in by hand, change it, and give the new one: msctl servers edit.") { Field = "password" }
            : channel.AsRoot
            ? Sudo.Refused(target, said.Split('\n')[^1].Trim())
            : new HostRejectedException(HostProblem.ShellRefused,
                $"The login of user {target.User} on {target} runs no commands (exit code {exit}). {(said.Length > 0 ? $"It said: {said}" : "It said nothing.")} The user needs a login shell such as /bin/sh or /bin/bash, and no ForceCommand in sshd_config.");
    }

    public static HostUnavailableException Lost(HostTarget target, string what, Exception? failure = null) => new(HostProblem.ConnectionLost,
        $"The SSH connection to {target} was lost during {what}. The host was restarted, its sshd ended the session, or the network was cut; it is safe to try again.", failure);

    private static HostUnavailableException Unreachable(string where, string why, Exception failure) => new(HostProblem.Unreachable,
        $"{where} cannot be reached: {why}. Check that the host is up, the address and port are right and no firewall drops the connection.", failure);

    private static HostUnavailableException Ended(string where, Exception failure) => new(HostProblem.ConnectionLost,
        $"{where} ended the connection before the login. Its sshd may be starting, overloaded (MaxStartups) or refusing this address (fail2ban, hosts.deny), or it is no SSH server; see its log.", failure);

    private static HostRejectedException Refused(string where, HostTarget? target, Exception failure)
    {
        var (means, field, hint) = target?.Credential is PrivateKeyCredential
            ? ("private key", "privateKey", "The user name or the key may be wrong. Check both, that the key's public half is in ~/.ssh/authorized_keys there, and for root that sshd's PermitRootLogin allows keys")
            : ("password", "password", "The user name or the password may be wrong. Check both, and that sshd allows passwords (PasswordAuthentication; for root PermitRootLogin yes)");
        return new HostRejectedException(HostProblem.AuthenticationFailed, $"{where} refused the {means} of user {target?.User}. {hint}.", failure) { Field = field };
    }
}
