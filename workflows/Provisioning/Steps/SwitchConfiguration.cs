using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record SwitchInput(Guid ServerId, string Component, string Digest);

/// <param name="Previous">The configuration that was current before; null when there was none.</param>
public sealed record SwitchedConfiguration(bool Changed, string? Previous);

/// <summary>Makes a staged configuration the current one. What serves reads it when it is told to reload.</summary>
public sealed class SwitchConfiguration(Servers.Servers servers) : Step<SwitchConfiguration, SwitchInput, SwitchedConfiguration>, IUndoable<SwitchInput, SwitchedConfiguration>
{
    private const string None = "none";

    public override async Task<SwitchedConfiguration> Run(SwitchInput input, StepContext step)
    {
        var token = step.Cancellation;
        await using var host = await servers.Connect(input.ServerId, token);
        var now = await CurrentConfiguration.Read(host, input.Component, token);

        // What was current before this step's first attempt, written down before the switch: a second attempt must not take its own work for the previous state.
        var note = Note(host, input, step);
        var previous = await CurrentConfiguration.ReadLink(host, note, token);
        if (previous is null)
        {
            if (now == input.Digest)
            {
                step.Unchanged("this configuration is the current one already");
                return new SwitchedConfiguration(false, now);
            }

            previous = now ?? None;
            await CurrentConfiguration.Link(host, note, previous, token);
        }

        await CurrentConfiguration.Set(host, input.Component, input.Digest, token);
        step.Changed(previous == None ? "first configuration" : $"configuration {input.Digest} in place of {previous}");
        return new SwitchedConfiguration(true, previous == None ? null : previous);
    }

    public async Task Undo(SwitchInput input, SwitchedConfiguration? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var note = Note(host, input, step);
        switch (await CurrentConfiguration.ReadLink(host, note, step.Cancellation))
        {
            case null:
                return;
            case None:
                await CurrentConfiguration.Clear(host, input.Component, step.Cancellation);
                break;
            case { } previous:
                await CurrentConfiguration.Set(host, input.Component, previous, step.Cancellation);
                await ComponentControl.ReloadIfRunning(host, input.Component, step.Cancellation);
                step.Changed($"configuration {previous} is the current one again");
                break;
        }

        await host.Remove(note, step.Cancellation);
    }

    private static string Note(IHost host, SwitchInput input, StepContext step) => $"{HostLayout.Of(host).Config(input.Component)}/.previous-{step.IdempotencyKey}";
}
