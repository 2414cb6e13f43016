using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Created">This step made the container.</param>
/// <param name="Replaced">It took the place of an older one, which is kept, stopped, until the run has proven itself.</param>
public sealed record RunningContainer(string Id, bool Created, bool Replaced);

/// <summary>
/// One container of a component, as specified. An older one with another specification is stopped and kept under another name,
/// so that an undo can bring it back.
/// </summary>
internal static class ContainerSwitch
{
    public static async Task<RunningContainer> Ensure(IHost host, string component, (JsonElement Json, string Digest) specification, StepContext step)
    {
        var (name, token) = (Component.ContainerName(component), step.Cancellation);
        var found = await host.Docker.FindContainer(name, token);
        if (found is not null && found.Labels.GetValueOrDefault(ContainerSpecification.SpecLabel) == specification.Digest)
        {
            var started = await host.Docker.KeepRunning(name, token);
            if (started)
            {
                step.Changed($"started {name}");
            }
            else
            {
                step.Unchanged($"{name} runs as specified");
            }

            var own = found.Labels.GetValueOrDefault("managed-servers.key") == step.IdempotencyKey;
            return new RunningContainer(found.Id, own, own && await host.Docker.FindContainer(Aside(name), token) is not null);
        }

        if (found is not null)
        {
            await host.Docker.Remove(Aside(name), token);
            await host.Docker.KeepStopped(name, token);
            await host.Docker.Rename(name, Aside(name), token);
        }

        var id = await host.Docker.Create(name, specification.Json, token);
        await host.Docker.Start(name, token);
        step.Changed(found is null ? $"started {name}" : $"started {name} in place of an older one");
        return new RunningContainer(id, true, found is not null);
    }

    /// <summary>What <see cref="Ensure"/> would find, and do.</summary>
    public static async Task<(RunningContainer Container, PlannedChange? Change)> Foresee(IHost host, string component, (JsonElement Json, string Digest) specification, CancellationToken cancellationToken)
    {
        var name = Component.ContainerName(component);
        var found = await host.Docker.FindContainer(name, cancellationToken);
        return found switch
        {
            null => (new RunningContainer("", Created: true, Replaced: false), Container(ChangeKind.Add, name, "made and started")),
            _ when found.Labels.GetValueOrDefault(ContainerSpecification.SpecLabel) != specification.Digest =>
                (new RunningContainer("", Created: true, Replaced: true), Container(ChangeKind.Restart, name, $"made anew from another specification, in place of the one of {found.Image}")),
            _ => (new RunningContainer(found.Id, Created: false, Replaced: false), found.IsRunning ? null : Container(ChangeKind.Start, name, $"it is {found.State} now")),
        };
    }

    public static PlannedChange Container(ChangeKind kind, string name, string? detail = null) => new(kind, "container", name, detail);

    /// <exception cref="StepRejectedException">It is not there.</exception>
    public static async Task<DockerContainer> Find(IHost host, string component, CancellationToken cancellationToken) =>
        await host.Docker.FindContainer(Component.ContainerName(component), cancellationToken)
        ?? throw new StepRejectedException($"On {host.Target} there is no container {Component.ContainerName(component)}: somebody has removed it. Install {component} again, which brings it back with its data.");

    /// <summary>The digest of the specification that it was made from; null when it is not there.</summary>
    public static async Task<string?> Specification(IHost host, string component, CancellationToken cancellationToken) =>
        (await host.Docker.FindContainer(Component.ContainerName(component), cancellationToken))?.Labels.GetValueOrDefault(ContainerSpecification.SpecLabel);

    /// <summary>With the older one that was kept for an undo. False when there was none.</summary>
    public static async Task<bool> Remove(IHost host, string component, CancellationToken cancellationToken)
    {
        var name = Component.ContainerName(component);
        // Stopped first: it ends in an orderly way, and a monitor writes down what it has counted.
        await host.Docker.KeepStopped(name, cancellationToken);
        return await host.Docker.Remove(name, cancellationToken) | await host.Docker.Remove(Aside(name), cancellationToken);
    }

    /// <summary>Removes what this run made and brings back what it replaced.</summary>
    public static async Task Undo(IHost host, string component, StepContext step)
    {
        var (name, token) = (Component.ContainerName(component), step.Cancellation);
        var found = await host.Docker.FindContainer(name, token);
        if (found?.Labels.GetValueOrDefault("managed-servers.key") == step.IdempotencyKey)
        {
            await host.Docker.Remove(name, token);
            step.Changed($"removed {name}");
            found = null;
        }

        if (found is null && await host.Docker.FindContainer(Aside(name), token) is not null)
        {
            await host.Docker.Rename(Aside(name), name, token);
            await host.Docker.KeepRunning(name, token);
            step.Changed($"brought the older {name} back");
        }
    }

    /// <summary>The new one has proven itself.</summary>
    public static Task<bool> Settle(IHost host, string component, CancellationToken cancellationToken) =>
        host.Docker.Remove(Aside(Component.ContainerName(component)), cancellationToken);

    private static string Aside(string name) => name + "-previous";
}
