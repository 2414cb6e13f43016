using ManagedServers.Engine;

namespace ManagedServers.Workflows.Credentials.Steps;

/// <summary>Stores the new credential in the place of the old one, which is kept until the end of the run.</summary>
public sealed class SwitchCredential(Servers.Servers servers, PendingCredentials pending) : Step<SwitchCredential, RotateInput, Nothing>, IUndoable<RotateInput, Nothing>
{
    public override async Task<Nothing> Run(RotateInput input, StepContext step)
    {
        var made = await pending.Get(input.PendingId, step.Cancellation);
        await servers.SwitchCredential(input.ServerId, made.Previous!, made.Credential, step.Cancellation);
        step.Changed($"logs in with {made} from now on");
        return Nothing.Value;
    }

    public async Task Undo(RotateInput input, Nothing? made, StepContext step)
    {
        if (await pending.Find(input.PendingId, step.Cancellation) is { Previous: { } previous } kept)
        {
            await servers.SwitchCredential(input.ServerId, kept.Credential, previous, step.Cancellation);
        }
    }
}
