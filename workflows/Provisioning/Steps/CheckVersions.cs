using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="BasedOn">By component: the configuration that was served when this change was asked for.</param>
public sealed record CheckVersionsInput(Guid ServerId, IReadOnlyDictionary<string, Guid> BasedOn);

/// <summary>A change that was overtaken by another one while it waited would take that one back: it is refused instead.</summary>
public sealed class CheckVersions(Configurations configurations) : Step<CheckVersions, CheckVersionsInput, Nothing>, IPreviewable<CheckVersionsInput, Nothing>
{
    public override async Task<Nothing> Run(CheckVersionsInput input, StepContext step)
    {
        foreach (var (component, basedOn) in input.BasedOn)
        {
            var current = await configurations.Current(input.ServerId, component, step.Cancellation)
                ?? throw new StepRejectedException($"{component} is not installed any more. Nothing was changed.");
            if (current.Version.Id != basedOn)
            {
                throw new StepRejectedException(
                    $"While this change waited, {component} came to {current.Version.InWords()}. Nothing was changed. Look at what that one changed (msctl config diff), and ask for the change anew: this run, tried again, is based on the same.");
            }
        }

        return Nothing.Value;
    }

    public Task<Preview<Nothing>> Preview(CheckVersionsInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value));
}
