using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Commands">Steps whose commands are journalled by now.</param>
public sealed record ForgetCommandsInput(Guid ServerId, IReadOnlyList<int> Commands);

/// <summary>The host keeps no output and no exit code of commands whose end is known; one that a skipped step has left running stays remembered.</summary>
public sealed class ForgetCommands(Servers.Servers servers) : Step<ForgetCommands, ForgetCommandsInput, Nothing>, IPreviewable<ForgetCommandsInput, Nothing>
{
    public override async Task<Nothing> Run(ForgetCommandsInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await RunCommand.Forget(host, input.Commands, step);
        return Nothing.Value;
    }

    public Task<Preview<Nothing>> Preview(ForgetCommandsInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value));
}
