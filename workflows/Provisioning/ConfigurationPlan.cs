using ManagedServers.Engine;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>The steps by which a configuration comes to a host, the same for every workflow. Each takes back what it did when a later one fails.</summary>
internal static class ConfigurationPlan
{
    /// <summary>The name of the step that lets a component's program read what it is to serve.</summary>
    public static string Validate(string component) => $"validate-{component}";

    public static ConfigurationSteps Configure<TInput>(WorkflowPlan<TInput> plan, Guid server, CatalogueImage image, Guid configurationId) where TInput : notnull
    {
        var (component, program) = (image.Component, Program(image.Component));
        var staged = Changing(plan.Step($"stage-{component}", $"Write the configuration of {program} aside", StageConfiguration.With(new StageInput(server, component, configurationId))));
        Changing(plan.Step(Validate(component), $"Check it with the very {program} that will serve it",
            ValidateConfiguration.With(results => new ValidateInput(server, image, results.Of(staged).Folder, configurationId))));
        var switched = Changing(plan.Step($"switch-{component}", "Make it the current one",
            SwitchConfiguration.With(results => new SwitchInput(server, component, configurationId, results.Of(staged).Digest))));
        return new ConfigurationSteps(component, configurationId, staged, switched);
    }

    /// <param name="listen">Of DNS.</param>
    public static void Serve<TInput>(WorkflowPlan<TInput> plan, Guid server, CatalogueImage image, IReadOnlyList<ListenRequest> listen, ConfigurationSteps steps) where TInput : notnull =>
        Changing(plan.Step($"start-{image.Component}", $"Let {Program(image.Component)} serve it",
            StartServing.With(results => new ServingInput(server, image, steps.ConfigurationId, listen, results.Of(steps.Staged).Made || results.Of(steps.Switched).Changed))));

    public static PlannedStep<T> Changing<T>(PlannedStep<T> step) where T : notnull => step.Retry(ComponentPlan.UntilDockerIsBack).OnFailure(StepFailure.Compensate);

    private static string Program(string component) => component == Component.Dhcp ? "Kea" : "Knot";
}

internal sealed record ConfigurationSteps(string Component, Guid ConfigurationId, PlannedStep<StagedConfiguration> Staged, PlannedStep<SwitchedConfiguration> Switched)
{
    public InstalledConfiguration Installed(StepResults results) => new(Component, ConfigurationId, [results.Of(Staged).Digest, results.Of(Switched).Previous ?? ""]);
}
