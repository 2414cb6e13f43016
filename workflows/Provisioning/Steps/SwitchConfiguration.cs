using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record SwitchInput(Guid ServerId, string Component, Guid ConfigurationId, string Digest);

/// <param name="Previous">The configuration that was current before; null when there was none.</param>
public sealed record SwitchedConfiguration(bool Changed, string? Previous);

/// <summary>Makes a staged configuration the current one. What serves reads it when it is told to reload.</summary>
public sealed class SwitchConfiguration(Servers.Servers servers, Configurations configurations) : Step<SwitchConfiguration, SwitchInput, SwitchedConfiguration>, IUndoable<SwitchInput, SwitchedConfiguration>, IPreviewable<SwitchInput, SwitchedConfiguration>
{
    public override async Task<SwitchedConfiguration> Run(SwitchInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var (changed, previous) = await CurrentConfiguration.Switch(host, input.Component, input.Digest, Note(step), step.Cancellation);
        if (changed)
        {
            step.Changed(previous is null ? "first configuration" : $"configuration {input.Digest} in place of {previous}");
        }
        else
        {
            step.Unchanged("this configuration is the current one already");
        }

        return new SwitchedConfiguration(changed, previous);
    }

    public async Task<Preview<SwitchedConfiguration>> Preview(SwitchInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var now = await CurrentConfiguration.Read(host, input.Component, cancellationToken);
        return now == input.Digest ? Preview<SwitchedConfiguration>.Nothing(new SwitchedConfiguration(false, now))
            : Preview<SwitchedConfiguration>.Of(new SwitchedConfiguration(true, now),
                new PlannedChange(now is null ? ChangeKind.Add : ChangeKind.Change, "configuration", input.Component, now is null ? $"{input.Digest}, the first one" : $"{input.Digest} in place of {now}"));
    }

    public async Task Undo(SwitchInput input, SwitchedConfiguration? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var (was, previous) = await CurrentConfiguration.Noted(host, input.Component, Note(step), step.Cancellation);
        if (!was)
        {
            return;
        }

        if (previous is null)
        {
            await CurrentConfiguration.Clear(host, input.Component, step.Cancellation);
        }
        else
        {
            await CurrentConfiguration.Set(host, input.Component, previous, step.Cancellation);
            var before = (await configurations.Current(input.ServerId, input.Component, step.Cancellation))?.Configuration.Dns;
            var failed = before is null ? null : (await configurations.Get(input.ConfigurationId, step.Cancellation)).Dns;
            await ComponentControl.ReloadIfRunning(host, input.Component, failed, before, step.Cancellation);
            await SecondaryZones.FetchAgain(host, SecondaryZones.ToFetch(before, failed), step);
            step.Changed($"configuration {previous} is the current one again");
        }

        await host.Remove($"{HostLayout.Of(host).Config(input.Component)}/{Note(step)}", step.Cancellation);
    }

    private static string Note(StepContext step) => $".previous-{step.IdempotencyKey}";
}
