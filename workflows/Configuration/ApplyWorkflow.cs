using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Configuration;

public sealed record ApplyInput
{
    public required Guid ServerId { get; init; }
    public required string ServerName { get; init; }
    public required IReadOnlyList<AppliedConfiguration> Configurations { get; init; }

    /// <summary>Null where the zones keep their names, or nobody counts.</summary>
    public MonitorInput? Monitor { get; init; }

    /// <summary>What is wanted already is put back, with images and containers that are gone.</summary>
    public bool Again { get; init; }

    /// <summary>Null where there are none.</summary>
    public CommandsAround? Commands { get; init; }
}

/// <param name="BasedOn">The configuration that was served when the change was asked for.</param>
/// <param name="Image">That the component runs.</param>
/// <param name="Listen">Of DNS.</param>
/// <param name="Stopped">An operator has stopped it: it will serve the configuration when it is started.</param>
public sealed record AppliedConfiguration(string Component, Guid Id, Guid BasedOn, CatalogueImage Image, IReadOnlyList<ListenRequest> Listen, bool Stopped);

/// <summary>
/// Brings another configuration to components that are installed. What serves goes on serving: it is told to reload, and started anew only where it is to listen elsewhere.
/// A failure brings the configuration back that was there before.
/// </summary>
[Workflow(Kind, version: 2)]
public sealed class ApplyWorkflow : IWorkflow<ApplyInput>
{
    public const string Kind = "apply";

    public string Title(ApplyInput input) => TitleOf([.. input.Configurations.Select(c => c.Component)], input.Again, input.ServerName);

    internal static string TitleOf(IReadOnlyList<string> components, bool again, string server) => $"{(again ? "re-apply" : Kind)} {string.Join(" and ", components)} to {server}";

    public void Describe(WorkflowPlan<ApplyInput> plan)
    {
        var (input, server) = (plan.Input, plan.Input.ServerId);
        plan.Exclusive($"server:{server}");
        plan.Timeout(CommandSteps.Limit(TimeSpan.FromMinutes(30), input.Commands));

        plan.Step("check-versions", "Make sure that nobody was faster", CheckVersions.With(new CheckVersionsInput(server, input.Configurations.ToDictionary(c => c.Component, c => c.BasedOn))))
            .OnFailure(StepFailure.Fail);
        CommandSteps.Before(plan, input.Commands);
        if (input.Again)
        {
            // Only those of today can be sent; an older one that is gone needs an install.
            CatalogueImage[] images = [.. input.Configurations.Select(c => c.Image).Append(input.Monitor?.Image).OfType<CatalogueImage>().Where(i => i.Archive.Length > 0)];
            ConfigurationPlan.Changing(plan.Step("upload-images", "See to the images", UploadImages.With(new ImagesInput(server, images)))).Timeout(TimeSpan.FromMinutes(30));
        }

        var configured = input.Configurations.Select(c => (Configuration: c, Steps: ConfigurationPlan.Configure(plan, server, c.Image, c.Id))).ToList();
        if (input is { Again: true, Monitor: { } beside })
        {
            // First: it makes the socket to which Knot connects.
            ConfigurationPlan.Changing(plan.Step("start-monitor", "See to the statistics monitor", StartMonitor.With(beside)));
        }

        foreach (var (configuration, steps) in configured.Where(c => !c.Configuration.Stopped))
        {
            ConfigurationPlan.Serve(plan, server, configuration.Image, configuration.Listen, steps);
        }

        var serving = input.Configurations.Where(c => !c.Stopped).ToDictionary(c => c.Component);
        ComponentPlan.Prove(plan, server, serving.TryGetValue(Component.Dns, out var dns) ? new ProveInput(server, dns.Id, Serials: true) : null, serving.ContainsKey(Component.Dhcp), StepFailure.Compensate);
        CommandSteps.After(plan, input.Commands);
        plan.Step("record", "Record what the server serves", RecordApplied.With(results => new RecordAppliedInput(server,
            [.. configured.Select(c => c.Steps.Installed(results))]))).Retry(ComponentPlan.UntilDockerIsBack);

        // After that, because it costs some seconds of counting and nobody's answers depend on it.
        if (input is { Again: false, Monitor: { } monitor })
        {
            plan.Step("tell-monitor", "Tell the monitor which zones there are", StartMonitor.With(monitor)).Retry(ComponentPlan.UntilDockerIsBack);
        }
    }
}
