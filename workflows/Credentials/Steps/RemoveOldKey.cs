using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Credentials.Steps;

public sealed record RemovedKey(Removal Removal);

/// <summary>Takes the key that was used until now from the host, if an earlier rotation has put it there. One that somebody else has put there stays.</summary>
public sealed class RemoveOldKey(Servers.Servers servers, PendingCredentials pending) : Step<RemoveOldKey, RotateInput, RemovedKey>, IUndoable<RotateInput, RemovedKey>
{
    public override async Task<RemovedKey> Run(RotateInput input, StepContext step)
    {
        var made = await pending.Get(input.PendingId, step.Cancellation);
        if (made.Previous is not PrivateKeyCredential old || Same(old, made.Credential))
        {
            step.Unchanged(made.Previous is PasswordCredential ? "the password that was used until now is the host's own, and stays" : "it is the same key");
            return new RemovedKey(Removal.Absent);
        }

        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var key = KeyPair.PublicHalf(old);
        var removal = await AuthorizedKeys.Remove(host, key, step.Cancellation);
        if (removal == Removal.Removed)
        {
            step.Changed($"{key} no longer logs in");
        }
        else
        {
            step.Unchanged(removal == Removal.Foreign ? $"{key} was put there by somebody else, and stays: remove it by hand if nobody needs it" : $"{key} is not there");
        }

        return new RemovedKey(removal);
    }

    public async Task Undo(RotateInput input, RemovedKey? made, StepContext step)
    {
        // Interrupted half-way nobody knows whether it was there: it was in use, so it is put back.
        if (made is { Removal: not Removal.Removed } || await pending.Find(input.PendingId, step.Cancellation) is not { Previous: PrivateKeyCredential old })
        {
            return;
        }

        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await AuthorizedKeys.Add(host, KeyPair.PublicHalf(old), $"server={input.ServerId} run={step.RunId}", step.Cancellation);
    }

    private static bool Same(PrivateKeyCredential old, HostCredential now) => now is PrivateKeyCredential key && KeyPair.PublicHalf(old) == KeyPair.PublicHalf(key);
}
