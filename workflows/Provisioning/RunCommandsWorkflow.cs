using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Commands for their own sake, in this order.</summary>
public sealed record RunCommandsInput(CommandScene Scene, IReadOnlyList<OperatorCommand> Commands);

/// <summary>Runs operators' commands on a host, and nothing else there meanwhile. One that fails ends the run: what comes after it is not run.</summary>
[Workflow(Kind, version: 1)]
public sealed class RunCommandsWorkflow : IWorkflow<RunCommandsInput>
{
    public const string Kind = "run-commands";

    public string Title(RunCommandsInput input) => $"run {string.Join(", ", input.Commands.Select(c => $"'{c.Name}'"))} on {input.Scene.ServerName}";

    public void Describe(WorkflowPlan<RunCommandsInput> plan)
    {
        var (scene, commands) = (plan.Input.Scene, plan.Input.Commands);
        plan.Exclusive($"server:{scene.ServerId}");
        plan.Timeout(CommandSteps.Limit(TimeSpan.FromMinutes(30), commands));
        plan.Step("check-owner", "Make sure that the host is this server's", CheckOwner.With(new OwnerInput(scene.ServerId))).Retry(ComponentPlan.UntilDockerIsBack).OnFailure(StepFailure.Fail);
        CommandSteps.ByHand(plan, scene, commands);
    }
}
