using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>A step that only looks, and refuses what must not go on: a plan looks just as the run does.</summary>
public abstract class CheckStep<TStep, TInput> : Step<TStep, TInput, Nothing>, IPreviewable<TInput, Nothing>
    where TStep : CheckStep<TStep, TInput>
    where TInput : notnull
{
    public sealed override async Task<Nothing> Run(TInput input, StepContext step)
    {
        await Check(input, step.Cancellation);
        return Nothing.Value;
    }

    public async Task<Preview<Nothing>> Preview(TInput input, CancellationToken cancellationToken)
    {
        await Check(input, cancellationToken);
        return Preview<Nothing>.Nothing(Nothing.Value);
    }

    /// <exception cref="StepRejectedException">It must not go on.</exception>
    protected abstract Task Check(TInput input, CancellationToken cancellationToken);
}
