using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Credentials.Steps;

/// <param name="Added">False when the user could log in with it before.</param>
public sealed record InstalledKey(bool Added);

/// <summary>Adds the new key to those with which the user may log in. An undo takes it away again.</summary>
public sealed class InstallKey(Servers.Servers servers, PendingCredentials pending) : Step<InstallKey, RotateInput, InstalledKey>, IUndoable<RotateInput, InstalledKey>, IPreviewable<RotateInput, InstalledKey>
{
    public override async Task<InstalledKey> Run(RotateInput input, StepContext step)
    {
        var made = await pending.Get(input.PendingId, step.Cancellation);
        var target = await servers.Target(input.ServerId, step.Cancellation);
        await pending.KeepPrevious(made.Id, target.Credential, step.Cancellation);
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var key = KeyPair.PublicHalf((PrivateKeyCredential)made.Credential);
        var added = await AuthorizedKeys.Add(host, key, $"server={input.ServerId} run={step.RunId}", step.Cancellation);
        if (added)
        {
            step.Changed($"{key} may log in as {target.User}");
        }
        else
        {
            step.Unchanged($"{key} could log in as {target.User} already");
        }

        return new InstalledKey(added || step.WasInterrupted);
    }

    public async Task<Preview<InstalledKey>> Preview(RotateInput input, CancellationToken cancellationToken) =>
        Preview<InstalledKey>.Of(null, new PlannedChange(ChangeKind.Add, "key", input.What, $"may log in as {(await servers.Target(input.ServerId, cancellationToken)).User}"));

    public async Task Undo(RotateInput input, InstalledKey? made, StepContext step)
    {
        if (made?.Added == false || await pending.Find(input.PendingId, step.Cancellation) is not { Credential: PrivateKeyCredential credential })
        {
            return;
        }

        var target = await servers.Target(input.ServerId, step.Cancellation);
        if (target.Credential == credential)
        {
            step.Log("The product logs in with this key: it stays.");
            return;
        }

        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        step.Changed($"took the new key away: {await AuthorizedKeys.Remove(host, KeyPair.PublicHalf(credential), step.Cancellation)}".ToLowerInvariant());
    }
}
