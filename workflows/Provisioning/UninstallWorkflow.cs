using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <param name="Repositories">Of the images that installs may have put there.</param>
public sealed record UninstallInput(Guid ServerId, string ServerName, IReadOnlyList<string> Components, IReadOnlyList<string> Repositories)
{
    /// <summary>Null where there are none.</summary>
    public CommandsAround? Commands { get; init; }
}

/// <summary>
/// Takes from a host everything that installs have put there. What is gone cannot be brought back, so nothing is undone: a step that fails pauses, and a retry goes on
/// with what is left. Uninstalling what is not there any more is done at once.
/// </summary>
[Workflow(Kind, version: 4)]
public sealed class UninstallWorkflow : IWorkflow<UninstallInput>
{
    public const string Kind = "uninstall";

    public string Title(UninstallInput input) => $"{Kind} everything from {input.ServerName}";

    public void Describe(WorkflowPlan<UninstallInput> plan)
    {
        var input = plan.Input;
        var server = input.ServerId;
        plan.Exclusive($"server:{server}");
        plan.Timeout(CommandSteps.Limit(TimeSpan.FromHours(1), input.Commands));

        plan.Step("check-owner", "Make sure that the host is this server's", CheckOwner.With(new OwnerInput(server))).Retry(ComponentPlan.UntilDockerIsBack);
        CommandSteps.Before(plan, input.Commands);
        foreach (var component in input.Components)
        {
            plan.Step($"remove-{component}", $"Stop and remove {component}", RemoveComponent.With(new ComponentInput(server, component))).Retry(ComponentPlan.UntilDockerIsBack);
        }

        plan.Step("remove-agent", "Remove the heartbeat agent", RemoveAgent.With(new RemoveAgentInput(server))).Retry(ComponentPlan.UntilDockerIsBack);
        // The images last: with them goes what a login without root removes its containers' files with.
        plan.Step("remove-folders", "Remove the product's folders", RemoveFolders.With(new RemoveFoldersInput(server))).Retry(ComponentPlan.UntilDockerIsBack);
        plan.Step("remove-images", "Remove the images", RemoveImages.With(new RemoveImagesInput(server, input.Repositories))).Retry(ComponentPlan.UntilDockerIsBack);
        plan.Step("record", "Record that the server has nothing installed", RecordUninstalled.With(new RecordUninstalledInput(server)));
        CommandSteps.After(plan, input.Commands, canUndo: false);
    }
}
