using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Credentials.Steps;

/// <summary>Sets the new password on the host, as root, and stores it at once. An undo sets the old one again.</summary>
public sealed class SetPassword(Servers.Servers servers, PendingCredentials pending, IHosts hosts) : Step<SetPassword, RotateInput, Nothing>, IUndoable<RotateInput, Nothing>
{
    public override async Task<Nothing> Run(RotateInput input, StepContext step)
    {
        var made = await pending.Get(input.PendingId, step.Cancellation);
        var target = await servers.Target(input.ServerId, step.Cancellation);
        await pending.KeepPrevious(made.Id, target.Credential, step.Cancellation);
        var password = (PasswordCredential)made.Credential;
        await Set(target, password, password, step.Cancellation);
        await hosts.Prove(target with { Credential = password }, step.Cancellation);
        made = await pending.Get(input.PendingId, step.Cancellation);
        await servers.SwitchCredential(input.ServerId, made.Previous!, password, step.Cancellation);
        step.Changed($"the password of {target.User} is the new one, on the host and here");
        return Nothing.Value;
    }

    public async Task Undo(RotateInput input, Nothing? done, StepContext step)
    {
        if (await pending.Find(input.PendingId, step.Cancellation) is not { Previous: { } previous } made)
        {
            return;
        }

        var target = await servers.Target(input.ServerId, step.Cancellation);
        if (previous is PasswordCredential old)
        {
            await Set(target with { Credential = old }, old, (PasswordCredential)made.Credential, step.Cancellation);
        }
        else
        {
            step.Log($"The password that user {target.User} had on {target} before is not known, so the new one stays there. The product logs in with its key as before.");
        }

        await servers.SwitchCredential(input.ServerId, made.Credential, previous, step.Cancellation);
    }

    /// <param name="also">What the host takes instead where an interrupted attempt has changed it already.</param>
    private async Task Set(HostTarget target, PasswordCredential wanted, PasswordCredential also, CancellationToken cancellationToken)
    {
        await using var host = await Connect(target, also, cancellationToken);
        if ((await host.Run(["id", "-u"], cancellationToken: cancellationToken)).Check().Stdout.Trim() != "0")
        {
            throw new StepRejectedException($"Setting a password takes root, and user {target.User} on {host.Target} is not. Rotate to a key instead, or set the password there by hand and tell the product: msctl servers edit NAME --password-file FILE");
        }

        using var line = new MemoryStream(Encoding.UTF8.GetBytes($"{target.User}:{wanted.Password}\n"));
        (await host.Run(["chpasswd"], new CommandOptions { Stdin = line }, cancellationToken)).Check();
    }

    private async Task<IHost> Connect(HostTarget target, PasswordCredential also, CancellationToken cancellationToken)
    {
        try
        {
            return await hosts.Connect(target, cancellationToken);
        }
        catch (HostRejectedException refused) when (refused.Code == HostProblem.AuthenticationFailed)
        {
            return await hosts.Connect(target with { Credential = also }, cancellationToken);
        }
    }
}
