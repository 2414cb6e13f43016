using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Commands;

/// <summary>A command as it stands in a run: copied when the run is started.</summary>
public sealed record OperatorCommand(string Name, string Text, int TimeoutSeconds, bool Repeatable, bool AsRoot = true)
{
    public IReadOnlyList<int> SuccessCodes { get; init; } = [0];
    public CommandFailure OnFailure { get; init; } = CommandFailure.Pause;
}

/// <summary>What a run is about, as its commands are told. No secret is among it.</summary>
/// <param name="Workflow">As an operator calls it, whoever works on the host.</param>
/// <param name="Listen">Where DNS listens, or is to; empty where the run is not about DNS.</param>
/// <param name="ApiAddress">The product as the host reaches it.</param>
public sealed record CommandScene(Guid ServerId, string ServerName, string Workflow, IReadOnlyList<string> Components, IReadOnlyList<ListenRequest> Listen, Uri ApiAddress);

/// <summary>The commands of a run, before and after what it does.</summary>
public sealed record CommandsAround(CommandScene Scene, IReadOnlyList<OperatorCommand> Before, IReadOnlyList<OperatorCommand> After);
