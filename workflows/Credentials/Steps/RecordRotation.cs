using ManagedServers.Engine;

namespace ManagedServers.Workflows.Credentials.Steps;

/// <summary>Writes the server's history, and lets go of what an undo would need.</summary>
public sealed class RecordRotation(PendingCredentials pending) : Step<RecordRotation, RotateInput, Nothing>
{
    public override async Task<Nothing> Run(RotateInput input, StepContext step)
    {
        var made = await pending.Find(input.PendingId, step.Cancellation);
        var what = RotateInput.Rotated(made?.ToString() ?? input.What, isMade: input.What == RotateInput.NewKey);
        await pending.Done(input.PendingId, input.ServerId, input.Who, $"{what} (run {step.RunId})", input.Reason, step.Cancellation);
        return Nothing.Value;
    }
}
