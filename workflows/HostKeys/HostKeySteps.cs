using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.HostKeys;

/// <summary>Reads the host's key; nothing is sent to it.</summary>
public sealed class ReadKey(Servers.Servers servers, IHosts hosts) : Step<ReadKey, AcceptHostKeyInput, Nothing>
{
    public override async Task<Nothing> Run(AcceptHostKeyInput input, StepContext step)
    {
        var target = await servers.Target(input.ServerId, step.Cancellation);
        var shown = await hosts.ReadHostKey(target.Address, target.Port, target.Via, step.Cancellation);
        step.Log($"{target} shows {shown}. Accepted until now: {input.Accepted}.");
        return shown == input.Shown ? Nothing.Value
            : throw new StepRejectedException($"{target} shows {shown} now, and not {input.Shown}, about which this run asks. A host does not change its key by itself: find out who answers there.");
    }
}

public sealed record PinKeyInput(AcceptHostKeyInput Asked, Approval Approval);

/// <summary>Accepts the key as an edit of the server does: the login is proven first, and the history says who accepted it and why.</summary>
public sealed class PinKey(Servers.Servers servers) : Step<PinKey, PinKeyInput, Nothing>
{
    private const int LongestReason = 500;

    public override async Task<Nothing> Run(PinKeyInput input, StepContext step)
    {
        var (asked, approval) = (input.Asked, input.Approval);
        if ((await servers.Get(asked.ServerId.ToString(), step.Cancellation)).HostKey == asked.Shown)
        {
            step.Unchanged("it is the accepted key already");
            return Nothing.Value;
        }

        var why = approval.Why ?? asked.Reason;
        try
        {
            var change = await servers.Edit(asked.ServerId.ToString(), new EditServer { HostKey = asked.Shown.Fingerprint, Reason = why?[..Math.Min(why.Length, LongestReason)] }, approval.Who, step.Cancellation);
            await change.Make(step.Cancellation);
        }
        catch (InvalidInputException refused)
        {
            throw new StepRejectedException($"The key was not accepted. {refused.Message}", refused);
        }

        step.Changed($"{asked.ServerName} has the key {asked.Shown}, accepted by {approval.Who}");
        return Nothing.Value;
    }
}
