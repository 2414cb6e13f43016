using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>The input of an install: ids and words, no secrets.</summary>
public sealed record InstallInput
{
    public required Guid ServerId { get; init; }
    public required string ServerName { get; init; }
    public required Uri ApiAddress { get; init; }
    public LoginKind Login { get; init; }
    public required IReadOnlyList<CatalogueImage> Images { get; init; }

    /// <summary>Null when DNS is not among the images.</summary>
    public DnsInstall? Dns { get; init; }

    /// <summary>Null when DHCP is not among the images.</summary>
    public DhcpInstall? Dhcp { get; init; }

    /// <summary>How the monitor sends what it counts.</summary>
    public StatisticsWay Statistics { get; init; }

    /// <summary>Null where there are none.</summary>
    public CommandsAround? Commands { get; init; }

    /// <summary>What was asked for, where that was no install: by hand a host is ordered all that it is to have. Null for an install.</summary>
    public AppliedByHand? Applied { get; init; }

    public IReadOnlyList<string> Components => [.. Images.Select(i => i.Component).Order(StringComparer.Ordinal)];
}

public sealed record DnsInstall(Guid ConfigurationId, IReadOnlyList<string> Zones, IReadOnlyList<ListenRequest> Listen)
{
    /// <summary>Those whose contents are other servers'.</summary>
    public IReadOnlyList<string> Secondary { get; init; } = [];

    /// <summary>Those that answer as soon as Knot serves.</summary>
    internal IReadOnlyList<string> Own => [.. Zones.Except(Secondary)];

    internal static DnsInstall Of(Guid configurationId, DnsConfiguration dns) =>
        new(configurationId, [.. dns.Zones.Select(z => z.Name)], dns.Listen) { Secondary = [.. dns.Zones.Where(z => z.IsSecondary).Select(z => z.Name)] };
}

public sealed record DhcpInstall(Guid ConfigurationId);

/// <param name="Components">Whose configuration is another one, or is put back.</param>
/// <param name="Again">What is wanted already is put back.</param>
public sealed record AppliedByHand(IReadOnlyList<string> Components, bool Again);

/// <summary>
/// Puts components on a host. Nothing is changed before every check and pre-command has passed; a failure after that takes
/// everything back that this run has changed; what a failing post-command means, it says itself, because by then the server serves.
/// </summary>
[Workflow(Kind, version: 9)]
public sealed class InstallWorkflow : IWorkflow<InstallInput>
{
    public const string Kind = "install";

    public string Title(InstallInput input) => $"install {string.Join(" and ", input.Components)} on {input.ServerName}";

    public void Describe(WorkflowPlan<InstallInput> plan)
    {
        var input = plan.Input;
        var server = input.ServerId;
        plan.Exclusive($"server:{server}");
        plan.Timeout(CommandSteps.Limit(TimeSpan.FromHours(2), input.Commands));

        var look = new PreflightInput(server, input.Components, input.Dns?.Listen ?? [], input.ApiAddress, input.Statistics);
        var first = look with { Mending = input.Commands is { Before.Count: > 0 } };
        plan.Step("preflight", "Check the host", Preflight.With(first)).OnFailure(StepFailure.Fail);
        if (input.Login == LoginKind.Docker)
        {
            plan.Step("root-steps", "See whether root has to do something first", RootSteps.With(first)).Retry(RootSteps.Patience).OnFailure(StepFailure.Fail);
        }

        CommandSteps.Before(plan, input.Commands);
        if (first.Mending)
        {
            plan.Step("preflight-again", "Check the host again, after the pre-commands", Preflight.With(look with { Mended = true })).OnFailure(StepFailure.Fail);
        }

        var found = plan.Step("look", "See what the host has", LookAtHost.With(new LookAtHostInput(server, input.Images, input.Components)))
            .Retry(ComponentPlan.UntilDockerIsBack).OnFailure(StepFailure.Fail);
        ConfigurationPlan.Changing(plan.Step("upload-images", $"Upload {string.Join(", ", input.Images.Select(i => i.Image))}",
            UploadImages.With(results => new ImagesInput(server, input.Images, results.Of(found).Images)))).Timeout(TimeSpan.FromMinutes(30));

        // After the images, so that an undo still has them when it removes what containers have left in the folders.
        ConfigurationPlan.Changing(plan.Step("prepare-folders", "Make the product's folders on the host",
            PrepareFolders.With(results => new FoldersInput(server, input.Components, results.Of(found).Folders))));

        List<ConfigurationSteps> configured = [];
        if (input.Dns is { } dns)
        {
            configured.Add(ConfigurationPlan.Configure(plan, server, Image(input, Component.Dns), dns.ConfigurationId));
        }

        if (input.Dhcp is { } dhcp)
        {
            configured.Add(ConfigurationPlan.Configure(plan, server, Image(input, Component.Dhcp), dhcp.ConfigurationId));
        }

        // The monitor first: it makes the socket to which Knot connects.
        if (input.Images.FirstOrDefault(i => i.Component == Component.Monitor) is { } monitor)
        {
            ConfigurationPlan.Changing(plan.Step("start-monitor", "Start the statistics monitor", StartMonitor.With(new MonitorInput(server, monitor, input.ApiAddress, input.Dns?.ConfigurationId, input.Statistics))));
        }

        foreach (var steps in configured)
        {
            ConfigurationPlan.Serve(plan, server, Image(input, steps.Component), input.Dns?.Listen ?? [], steps);
        }

        var agent = ConfigurationPlan.Changing(plan.Step("install-agent", "Install the heartbeat agent", InstallAgent.With(new AgentInput(server, input.ApiAddress, input.Statistics))));
        ComponentPlan.Prove(plan, server, input.Dns is null ? null : new ProveInput(server, input.Dns.ConfigurationId, Serials: true), input.Dhcp is not null, StepFailure.Compensate);
        plan.Step("await-heartbeat", "Wait for a heartbeat", AwaitHeartbeat.With(results => new HeartbeatInput(server, input.ApiAddress, results.Of(agent).InstalledAt, input.Statistics)))
            .Retry(Backoff.None).Timeout(TimeSpan.FromMinutes(3)).OnFailure(StepFailure.Compensate);
        CommandSteps.After(plan, input.Commands);

        // Last of all: it lets go of what an undo needs.
        plan.Step("record", "Record what the server has", RecordInstalled.With(results => new RecordInput(server, input.Images, [.. configured.Select(c => c.Installed(results))], input.Statistics)));
    }

    private static CatalogueImage Image(InstallInput input, string component) => input.Images.Single(i => i.Component == component);
}
