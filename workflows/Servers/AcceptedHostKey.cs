using System.Text.RegularExpressions;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <summary>What an operator accepted, against what a host shows.</summary>
internal static partial class AcceptedHostKey
{
    /// <param name="accepted">The fingerprint; null or empty for none.</param>
    /// <param name="host">For messages.</param>
    public static void Require(string? accepted, HostKey presented, string host)
    {
        if (string.IsNullOrWhiteSpace(accepted))
        {
            throw new HostRejectedException(HostProblem.HostKeyUnknown,
                $"The host {host} presents the key {presented}. Compare it with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on its console), then repeat the request with this fingerprint as hostKey.")
            {
                Field = "hostKey", Presented = presented,
            };
        }

        var errors = new InputErrors();
        Check(accepted, "hostKey", errors);
        errors.ThrowIfAny();
        if (accepted.Trim() != presented.Fingerprint)
        {
            throw new HostRejectedException(HostProblem.HostKeyChanged,
                $"The host {host} presents the key {presented}, but {accepted.Trim()[..Math.Min(100, accepted.Trim().Length)]} was accepted. Either the host was set up anew, or somebody is in between. Nothing was sent to it.")
            {
                Field = "hostKey", Presented = presented, Expected = new HostKey(presented.Algorithm, accepted.Trim()),
            };
        }
    }

    /// <summary>What can be told before the host is asked.</summary>
    public static void Check(string? accepted, string field, InputErrors errors)
    {
        if (!string.IsNullOrWhiteSpace(accepted) && !Fingerprint().IsMatch(accepted.Trim()))
        {
            errors.Add(field, "must be a fingerprint as ssh-keygen -lf shows it: SHA256: and 43 letters, digits, + or /");
        }
    }

    [GeneratedRegex(@"\ASHA256:[A-Za-z0-9+/]{43}\z")]
    private static partial Regex Fingerprint();
}
