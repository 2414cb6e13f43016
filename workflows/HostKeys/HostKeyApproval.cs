using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.HostKeys;

/// <param name="Accepted">The key that is pinned.</param>
/// <param name="Shown">The key that the host shows now.</param>
public sealed record AskedHostKey(Guid RunId, HostKey Accepted, HostKey Shown);

/// <summary>Starts runs that ask whether a host's new key is to be accepted.</summary>
public sealed class HostKeyApproval(Servers.Servers servers, IHosts hosts, SecretRedactor redactor, IRuns runs)
{
    private const int LongestReason = 500;

    /// <summary>Reads the key that the host shows, and asks, in a run, whether it is the right one.</summary>
    /// <exception cref="InvalidInputException">The reason is too long.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="ServerConflictException">The host shows the key that was accepted.</exception>
    /// <exception cref="HostUnavailableException">The host cannot be reached.</exception>
    public async Task<PreparedChange<AskedHostKey>> Ask(string idOrName, string? reason, string who, string? idempotencyKey, CancellationToken cancellationToken = default)
    {
        if (reason?.Length > LongestReason)
        {
            throw new InvalidInputException("reason", $"must have at most {LongestReason} characters");
        }

        var server = await servers.Get(idOrName, cancellationToken);
        var target = await servers.Target(server.Id, cancellationToken);
        var shown = await hosts.ReadHostKey(target.Address, target.Port, target.Via, cancellationToken);
        if (shown == server.HostKey)
        {
            throw new ServerConflictException("host-key-unchanged", $"{target} shows the key that was accepted, {shown}. There is nothing to accept.");
        }

        var why = string.IsNullOrWhiteSpace(reason) ? null : redactor.Redact(reason.Trim());
        var input = new AcceptHostKeyInput(server.Id, server.Name, server.HostKey!, shown, why);
        return new PreparedChange<AskedHostKey>($"ask, in a run, whether the key that {server.Name} shows is to be accepted", [new("host key", $"{server.HostKey}", $"{shown}")], async ct =>
        {
            var started = await runs.StartAbout<AcceptHostKeyWorkflow, AcceptHostKeyInput>(server, input, who, idempotencyKey, null, ct, isLast: false);
            return new AskedHostKey(started.Id, server.HostKey!, shown);
        })
        { Proof = $"The run waits until somebody approves the key; then the product logs in on {target} with it. Where that fails, the key of before stays the accepted one.", Servers = [server.Name] };
    }
}
