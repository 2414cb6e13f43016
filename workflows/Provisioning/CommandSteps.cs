using System.Globalization;
using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Plans the commands around an install: those before it end the run where one fails; what a failure of those after it means, each says itself.</summary>
internal static class CommandSteps
{
    /// <returns>Their positions in the plan.</returns>
    public static List<int> Before(WorkflowPlan<InstallInput> plan) => Add(plan, CommandUse.Pre, plan.Input.PreCommands);

    /// <returns>Their positions in the plan.</returns>
    public static List<int> After(WorkflowPlan<InstallInput> plan) => Add(plan, CommandUse.Post, plan.Input.PostCommands);

    /// <summary>What a command may count on, with what is known only on the way to the host; docs/commands.md lists it. No secret is among it.</summary>
    public static Dictionary<string, string> Environment(InstallInput input, string phase, Guid run, string address, string folder) => new()
    {
        ["MANAGED_SERVERS_SERVER"] = input.ServerName,
        ["MANAGED_SERVERS_SERVER_ID"] = input.ServerId.ToString(),
        ["MANAGED_SERVERS_ADDRESS"] = address,
        ["MANAGED_SERVERS_FOLDER"] = folder,
        ["MANAGED_SERVERS_RUN_ID"] = run.ToString(),
        ["MANAGED_SERVERS_WORKFLOW"] = InstallWorkflow.Kind,
        ["MANAGED_SERVERS_PHASE"] = phase,
        ["MANAGED_SERVERS_COMPONENTS"] = string.Join(' ', input.Components),
        ["MANAGED_SERVERS_LISTEN"] = string.Join(' ', (input.Dns?.Listen ?? []).Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Address}@{l.Port}"))),
        ["MANAGED_SERVERS_API"] = input.ApiAddress.ToString().TrimEnd('/'),
    };

    private static List<int> Add(WorkflowPlan<InstallInput> plan, string phase, IReadOnlyList<OperatorCommand> commands)
    {
        var pre = phase == CommandUse.Pre;
        // The other commands' texts are nothing that a step needs.
        var scene = plan.Input with { PreCommands = [], PostCommands = [] };
        List<int> steps = [];
        foreach (var (index, command) in commands.Index())
        {
            steps.Add(plan
                .Step($"{phase}-command-{index + 1}", $"{(pre ? "Pre" : "Post")}-command '{command.Name}'", RunCommand.With(new CommandInput(scene, command, [.. steps], phase)))
                // Of the way to the host, before anything has begun. What comes after that, the step itself sees through.
                .Retry(Backoff.Exponential(10, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)))
                .Timeout(TimeSpan.FromSeconds(command.TimeoutSeconds) + RunCommand.LongestAbsence + TimeSpan.FromMinutes(1))
                .WhenInterrupted(command.Repeatable ? Interruption.RunAgain : Interruption.Pause)
                .OnFailure(pre ? StepFailure.Fail : command.OnFailure switch
                {
                    CommandFailure.Continue => StepFailure.Continue,
                    CommandFailure.Undo => StepFailure.Compensate,
                    _ => StepFailure.Pause,
                }).Seq);
        }

        return steps;
    }
}
