using ManagedServers.Engine;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>
/// Tells what a run would change on a host at which the product cannot look: the difference between what is wanted and what the last run has left there, with what the host has said
/// since that is not so any more.
/// </summary>
public sealed class ManualPlan(Configurations configurations, DriftFindings drift)
{
    private static readonly HostLayout Layout = new(HostLogin.Root);
    private static readonly StepPreview Nothing = new();

    internal async Task<RunPlan> Foresee(Server server, object input, RunPlan plan, CancellationToken cancellationToken)
    {
        var told = input switch
        {
            InstallInput install => await Installing(server, install, cancellationToken),
            UninstallInput uninstall => Uninstalling(server, uninstall),
            _ => throw new InvalidOperationException($"Nobody knows what {plan.Kind} changes by hand."),
        };
        return plan with { Steps = [.. plan.Steps.Select(s => s with { Preview = told.TryGetValue(s.Name, out var preview) ? preview : Nothing })] };
    }

    private async Task<Dictionary<string, StepPreview?>> Installing(Server server, InstallInput input, CancellationToken cancellationToken)
    {
        var found = (await drift.Of(server, cancellationToken)).Findings;
        var dns = await Change(server, Component.Dns, input.Dns?.ConfigurationId, found, cancellationToken);
        var dhcp = await Change(server, Component.Dhcp, input.Dhcp?.ConfigurationId, found, cancellationToken);
        Dictionary<string, StepPreview?> told = [];
        foreach (var step in HostStep.Installing(input).Concat(HostStep.Ending(input)))
        {
            var configuration = step.ComponentName == Component.Dns ? dns : dhcp;
            told[step.Name] = step.Do switch
            {
                "command" => Of(new PlannedChange(ChangeKind.Run, "command", step.Command!.Name, step.Command.Text)),
                "folders" => Of([.. Layout.Folders(input.Components).Except(Folders(server)).Select(f => new PlannedChange(ChangeKind.Add, "folder", f))]),
                "image" => Of([.. input.Images.Where(i => i.Component == step.ComponentName && Installed(server, i.Component)?.Image != i.Image).Select(i => new PlannedChange(ChangeKind.Add, "image", i.Image, "fetched from the product"))]),
                OrderDocument.Stage => Of(configuration!.Files),
                "switch" when configuration!.IsAnother => Of(configuration.Before is null ? new PlannedChange(ChangeKind.Add, "configuration", step.ComponentName!, "the first one")
                    : new PlannedChange(ChangeKind.Change, "configuration", step.ComponentName!, $"in place of version {configuration.Before.Version.Version}")),
                "container" when step.ComponentName == Component.Monitor => Monitor(server, input, dns, found),
                "container" => Of(Container(server, input, step.ComponentName!, found, configuration!.IsAnother ? (ChangeKind.Reload, "it goes on serving meanwhile") : null)),
                "agent" => server.Components.Count == 0 ? Of(new PlannedChange(ChangeKind.Add, "agent", Layout.Agent, "with a service that keeps it running"))
                    : new StepPreview { Note = "it is put there anew where it is another release's" },
                _ => Nothing,
            };
        }

        return told;
    }

    private static Dictionary<string, StepPreview?> Uninstalling(Server server, UninstallInput input) => HostStep.Uninstalling(input).ToDictionary(s => s.Name, s =>
        // An install that was cancelled half-way has recorded nothing, and may have left anything.
        server.Components.Count == 0 && s.Do.StartsWith("remove", StringComparison.Ordinal) ? null : s.Do switch
        {
            "remove-container" when Installed(server, s.ComponentName!) is not null => Of(ContainerSwitch.Container(ChangeKind.Remove, Component.ContainerName(s.ComponentName!), "it is stopped first")),
            "remove-agent" => Of(new PlannedChange(ChangeKind.Remove, "agent", Layout.Agent, "with the service that keeps it running")),
            "remove-images" => Of([.. server.Components.Select(c => new PlannedChange(ChangeKind.Remove, "image", c.Image))]),
            "remove-folders" => Of([.. Layout.All.Intersect(Folders(server)).Select(f => new PlannedChange(ChangeKind.Remove, "folder", f, "with all that is in it"))]),
            _ => Nothing,
        });

    private static StepPreview Monitor(Server server, InstallInput input, ConfigurationChange? dns, IReadOnlyList<DriftFinding> found)
    {
        var known = Installed(server, Component.Monitor) is not null;
        var told = !known || input.Statistics != server.Statistics
            || (input.Dns is { } wanted && !(dns?.Before?.Configuration.Dns?.Zones ?? []).Select(z => z.Name).ToHashSet().SetEquals(wanted.Zones));
        return Of([
            .. told ? [new PlannedChange(known ? ChangeKind.Change : ChangeKind.Add, "file", $"{Layout.Monitor}/{OrderDocument.MonitorFile}")] : Array.Empty<PlannedChange>(),
            .. Container(server, input, Component.Monitor, found, told ? (ChangeKind.Restart, "for its new settings") : null)]);
    }

    /// <param name="otherwise">Where the container itself stays as it is.</param>
    private static PlannedChange[] Container(Server server, InstallInput input, string component, IReadOnlyList<DriftFinding> found, (ChangeKind Kind, string Detail)? otherwise)
    {
        var (name, image) = (Component.ContainerName(component), input.Images.Single(i => i.Component == component));
        var (_, wanted) = component switch
        {
            Component.Dns => ContainerSpecification.Dns(Layout, image, "", input.Dns!.Listen),
            Component.Dhcp => ContainerSpecification.Dhcp(Layout, image, ""),
            _ => ContainerSpecification.Monitor(Layout, image, ""),
        };
        DriftFinding? Drifted(params DriftKind[] kinds) => found.FirstOrDefault(f => f.Component == component && kinds.Contains(f.Kind));
        return Installed(server, component) is not { } installed ? [ContainerSwitch.Container(ChangeKind.Add, name, "made and started")]
            : Drifted(DriftKind.Container) is { } gone ? [ContainerSwitch.Container(ChangeKind.Add, name, gone.What)]
            : (installed.Specification is { } made ? made != wanted : installed.Image != image.Image)
                ? [ContainerSwitch.Container(ChangeKind.Restart, name, $"made anew from another specification, in place of the one of {installed.Image}")]
            : Drifted(DriftKind.Image, DriftKind.Specification) is { } other ? [ContainerSwitch.Container(ChangeKind.Restart, name, other.What)]
            : Drifted(DriftKind.Stopped) is { } stopped ? [ContainerSwitch.Container(ChangeKind.Start, name, stopped.What)]
            : otherwise is var (kind, detail) ? [ContainerSwitch.Container(kind, name, detail)] : [];
    }

    private async Task<ConfigurationChange?> Change(Server server, string component, Guid? wantedId, IReadOnlyList<DriftFinding> found, CancellationToken cancellationToken)
    {
        if (wantedId is not { } id)
        {
            return null;
        }

        var before = await configurations.Current(server.Id, component, cancellationToken);
        // The interfaces of the host are not known, and the same on both sides.
        var (old, files) = (before?.Configuration.For([]).Files ?? [], (await configurations.Get(id, cancellationToken)).For([]).Files);
        var changes = await FileDifferences.Of(component, files, old.ToDictionary(f => f.Key, f => FileDifferences.Digest(f.Value)), name => Task.FromResult(old.GetValueOrDefault(name)));
        var drifted = found.Where(f => f.Component == component && f.Kind is DriftKind.File or DriftKind.Current).Select(f => new PlannedChange(ChangeKind.Change, "file", $"{component}/{f.Subject}", f.What));
        return new ConfigurationChange(before, [.. changes, .. drifted]);
    }

    private static InstalledComponent? Installed(Server server, string component) => server.Components.FirstOrDefault(c => c.Name == component);

    private static IReadOnlyList<string> Folders(Server server) => server.Components.Count == 0 ? [] : Layout.Folders([.. server.Components.Select(c => c.Name)]);

    private static StepPreview Of(params IReadOnlyList<PlannedChange> changes) => new() { Changes = changes };

    /// <param name="Before">Null for the first one.</param>
    private sealed record ConfigurationChange(StoredConfiguration? Before, IReadOnlyList<PlannedChange> Files)
    {
        public bool IsAnother => Files.Count > 0;
    }
}
