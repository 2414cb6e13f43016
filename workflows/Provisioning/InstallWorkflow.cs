using ManagedServers.Engine;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>The input of an install: ids and words, no secrets.</summary>
public sealed record InstallInput
{
    public required Guid ServerId { get; init; }
    public required string ServerName { get; init; }
    public required Guid ConfigurationId { get; init; }
    public required Uri ApiAddress { get; init; }
    public required IReadOnlyList<CatalogueImage> Images { get; init; }
    public required IReadOnlyList<string> Zones { get; init; }
    public required IReadOnlyList<ListenRequest> Listen { get; init; }
    public required IReadOnlyList<OperatorCommand> PreCommands { get; init; }
    public required IReadOnlyList<OperatorCommand> PostCommands { get; init; }

    public IReadOnlyList<string> Components => [.. Images.Select(i => i.Component)];
}

/// <summary>
/// Puts DNS and its monitor on a host. Nothing is changed before every check and pre-command has passed; a failure after that takes
/// everything back that this run has changed; only an operator's post-command pauses, because by then the zone is being served.
/// </summary>
[Workflow("install", version: 1)]
public sealed class InstallWorkflow : IWorkflow<InstallInput>
{
    public string Title(InstallInput input) => $"install {string.Join(" and ", input.Components)} on {input.ServerName}";

    public void Describe(WorkflowPlan<InstallInput> plan)
    {
        var input = plan.Input;
        var server = input.ServerId;
        plan.Exclusive($"server:{server}");
        plan.Timeout(TimeSpan.FromHours(2));

        plan.Step("preflight", "Check the host", Preflight.With(new PreflightInput(server, input.Components, input.Listen, input.ApiAddress)))
            .OnFailure(StepFailure.Fail);
        var before = OperatorCommands(plan, "pre-command", "Pre-command", input.PreCommands, StepFailure.Fail);
        Changing(plan.Step("prepare-folders", "Make the product's folders on the host",
            PrepareFolders.With(new FoldersInput(server, HostLayout.Folders(input.Components), before))));
        foreach (var image in input.Images)
        {
            Changing(plan.Step($"upload-image-{image.Component}", $"Upload the image {image.Image}", UploadImage.With(new ImageInput(server, image))))
                .Timeout(TimeSpan.FromMinutes(30));
        }

        var monitor = input.Images.FirstOrDefault(i => i.Component == Component.Monitor);
        var dns = input.Images.FirstOrDefault(i => i.Component == Component.Dns);
        PlannedStep<StagedConfiguration>? staged = null;
        PlannedStep<SwitchedConfiguration>? switched = null;
        if (dns is not null)
        {
            staged = Changing(plan.Step("stage-configuration", "Write the configuration and zones aside", StageConfiguration.With(new StageInput(server, input.ConfigurationId))));
            Changing(plan.Step("validate-configuration", "Check them with the very Knot that will serve them",
                ValidateConfiguration.With(results => new ValidateInput(server, dns, results.Of(staged).Folder, input.Zones))));
            switched = Changing(plan.Step("switch-configuration", "Make them the current ones",
                SwitchConfiguration.With(results => new SwitchInput(server, results.Of(staged).Digest))));
        }

        // The monitor first: it makes the socket to which Knot connects.
        if (monitor is not null)
        {
            Changing(plan.Step("start-monitor", "Start the statistics monitor", StartMonitor.With(new MonitorInput(server, monitor, input.ApiAddress, input.Zones))));
        }

        if (dns is not null)
        {
            Changing(plan.Step("start-dns", "Start Knot DNS", StartDns.With(results => new DnsInput(server, dns, input.Listen, results.Of(switched!).Changed))));
        }

        var agent = Changing(plan.Step("install-agent", "Install the heartbeat agent", InstallAgent.With(new AgentInput(server, input.ApiAddress))));
        if (dns is not null)
        {
            plan.Step("prove-answers", "Ask for every zone from outside, over UDP and TCP", ProveAnswers.With(new ProveInput(server, input.Zones, input.Listen)))
                .Retry(Backoff.Fixed(20, TimeSpan.FromSeconds(1))).OnFailure(StepFailure.Compensate);
        }

        plan.Step("await-heartbeat", "Wait for the first heartbeat", AwaitHeartbeat.With(results => new HeartbeatInput(server, input.ApiAddress, results.Of(agent).InstalledAt, results.Of(agent).Changed)))
            .Retry(Backoff.None).Timeout(TimeSpan.FromMinutes(3)).OnFailure(StepFailure.Compensate);
        var after = OperatorCommands(plan, "post-command", "Post-command", input.PostCommands, StepFailure.Pause);

        // Last of all: it lets go of what an undo needs.
        plan.Step("record", "Record what the server has", RecordInstalled.With(results => new RecordInput(server, input.ConfigurationId, input.Images, after,
            staged is null ? [] : [results.Of(staged).Digest, results.Of(switched!).Previous ?? ""])));
    }

    private static PlannedStep<T> Changing<T>(PlannedStep<T> step) where T : notnull => step.Retry(ComponentPlan.UntilDockerIsBack).OnFailure(StepFailure.Compensate);

    /// <returns>Their positions in the plan.</returns>
    private static List<int> OperatorCommands(WorkflowPlan<InstallInput> plan, string name, string title, IReadOnlyList<OperatorCommand> commands, StepFailure failure)
    {
        List<int> steps = [];
        foreach (var (index, command) in commands.Index())
        {
            steps.Add(plan
                .Step($"{name}-{index + 1}", $"{title} '{command.Name}'", RunCommand.With(new CommandInput(plan.Input.ServerId, plan.Input.ServerName, command, [.. steps])))
                .Retry(Backoff.Exponential(3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)))
                .Timeout(TimeSpan.FromSeconds(command.TimeoutSeconds) + TimeSpan.FromMinutes(1))
                .WhenInterrupted(command.Repeatable ? Interruption.RunAgain : Interruption.Pause)
                .OnFailure(failure).Seq);
        }

        return steps;
    }
}
