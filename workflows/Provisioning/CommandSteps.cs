using System.Globalization;
using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Plans operators' commands: a failure of one before the change ends the run; what a failure of one after it means, each says itself.</summary>
internal static class CommandSteps
{
    /// <summary>Before anything is changed.</summary>
    public static void Before<TInput>(WorkflowPlan<TInput> plan, CommandsAround? commands) where TInput : notnull =>
        Add(plan, commands?.Scene, commands?.Before ?? [], CommandUse.Pre, "Pre-command", _ => StepFailure.Fail);

    /// <param name="canUndo">What the run has changed can be taken back. Where it cannot, a command that would have it so pauses the run.</param>
    public static void After<TInput>(WorkflowPlan<TInput> plan, CommandsAround? commands, bool canUndo = true) where TInput : notnull =>
        Add(plan, commands?.Scene, commands?.After ?? [], CommandUse.Post, "Post-command", failure => failure switch
        {
            CommandFailure.Continue => StepFailure.Continue,
            CommandFailure.Undo when canUndo => StepFailure.Compensate,
            _ => StepFailure.Pause,
        });

    /// <summary>By themselves: one that fails ends the run, unless it says that its failure is only noted.</summary>
    public static void ByHand<TInput>(WorkflowPlan<TInput> plan, CommandScene scene, IReadOnlyList<OperatorCommand> commands) where TInput : notnull =>
        Add(plan, scene, commands, CommandUse.ByHand, "Command", failure => failure == CommandFailure.Continue ? StepFailure.Continue : StepFailure.Fail);

    /// <summary>How long a run may take that takes so long without its commands.</summary>
    public static TimeSpan Limit(TimeSpan without, params IEnumerable<OperatorCommand> commands) => commands.Aggregate(without, (sum, c) => sum + LimitOf(c));

    /// <inheritdoc cref="Limit(TimeSpan, IEnumerable{OperatorCommand})"/>
    public static TimeSpan Limit(TimeSpan without, CommandsAround? commands) => Limit(without, [.. commands?.Before ?? [], .. commands?.After ?? []]);

    /// <summary>What a command may count on, with what is known only on the way to the host; docs/commands.md lists it.</summary>
    public static Dictionary<string, string> Environment(CommandScene scene, string phase, Guid run, string address, string folder) => new()
    {
        ["MANAGED_SERVERS_SERVER"] = scene.ServerName,
        ["MANAGED_SERVERS_SERVER_ID"] = scene.ServerId.ToString(),
        ["MANAGED_SERVERS_ADDRESS"] = address,
        ["MANAGED_SERVERS_FOLDER"] = folder,
        ["MANAGED_SERVERS_RUN_ID"] = run.ToString(),
        ["MANAGED_SERVERS_WORKFLOW"] = scene.Workflow,
        ["MANAGED_SERVERS_PHASE"] = phase,
        ["MANAGED_SERVERS_COMPONENTS"] = string.Join(' ', scene.Components),
        ["MANAGED_SERVERS_LISTEN"] = string.Join(' ', scene.Listen.Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Address}@{l.Port}"))),
        ["MANAGED_SERVERS_API"] = scene.ApiAddress.ToString().TrimEnd('/'),
    };

    private static void Add<TInput>(WorkflowPlan<TInput> plan, CommandScene? scene, IReadOnlyList<OperatorCommand> commands, string phase, string title, Func<CommandFailure, StepFailure> meaning)
        where TInput : notnull
    {
        List<int> steps = [];
        foreach (var (index, command) in commands.Index())
        {
            steps.Add(plan
                .Step($"{(phase == CommandUse.ByHand ? "" : $"{phase}-")}command-{index + 1}", $"{title} '{command.Name}'", RunCommand.With(new CommandInput(scene!, command, [.. steps], phase)))
                // Of the way to the host, before anything has begun. What comes after that, the step itself sees through.
                .Retry(Backoff.Exponential(10, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)))
                .Timeout(LimitOf(command))
                .WhenInterrupted(command.Repeatable ? Interruption.RunAgain : Interruption.Pause)
                .OnFailure(meaning(command.OnFailure)).Seq);
        }

        if (steps.Count > 0)
        {
            // Not by the commands' own steps: what they told must be journalled before the host may forget it.
            plan.Step($"forget-{(phase == CommandUse.ByHand ? "" : $"{phase}-")}commands", "Let the host forget what it kept of the commands", ForgetCommands.With(new ForgetCommandsInput(scene!.ServerId, steps)))
                .Retry(ComponentPlan.UntilDockerIsBack).OnFailure(phase == CommandUse.Pre ? StepFailure.Fail : StepFailure.Pause);
        }
    }

    private static TimeSpan LimitOf(OperatorCommand command) => TimeSpan.FromSeconds(command.TimeoutSeconds) + RunCommand.LongestAbsence + TimeSpan.FromMinutes(1);
}
