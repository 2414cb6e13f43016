using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Credentials.Steps;

/// <summary>Logs in with what is stored, over a connection of its own.</summary>
public sealed class ProveLogin(Servers.Servers servers, IHosts hosts) : Step<ProveLogin, RotateInput, Nothing>
{
    public override async Task<Nothing> Run(RotateInput input, StepContext step)
    {
        var target = await servers.Target(input.ServerId, step.Cancellation);
        await hosts.Prove(target, step.Cancellation);
        step.Log($"{target} lets user {target.User} in with the stored {target.Credential}.");
        return Nothing.Value;
    }
}

/// <summary>Logs in with the new credential before anything relies on it.</summary>
public sealed class ProvePending(Servers.Servers servers, PendingCredentials pending, IHosts hosts) : Step<ProvePending, RotateInput, Nothing>
{
    public override async Task<Nothing> Run(RotateInput input, StepContext step)
    {
        var target = await servers.Target(input.ServerId, step.Cancellation);
        var made = await pending.Get(input.PendingId, step.Cancellation);
        await hosts.Prove(target with { Credential = made.Credential }, step.Cancellation);
        step.Log($"{target} lets user {target.User} in with {made}.");
        return Nothing.Value;
    }
}
