using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record LookInput(Guid ServerId, IReadOnlyList<string> Components);

/// <param name="StartedAt">Of each component's container; null of one that never ran.</param>
public sealed record SeenComponents(IReadOnlyDictionary<string, DateTimeOffset?> StartedAt);

/// <summary>Since when the containers run: it tells a restart that was interrupted from one that has not begun.</summary>
public sealed class LookAtComponents(Servers.Servers servers) : Step<LookAtComponents, LookInput, SeenComponents>, IPreviewable<LookInput, SeenComponents>
{
    public override Task<SeenComponents> Run(LookInput input, StepContext step) => Look(input, step.Cancellation);

    public async Task<Preview<SeenComponents>> Preview(LookInput input, CancellationToken cancellationToken) => Preview<SeenComponents>.Nothing(await Look(input, cancellationToken));

    private async Task<SeenComponents> Look(LookInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        Dictionary<string, DateTimeOffset?> started = [];
        foreach (var component in input.Components)
        {
            started[component] = (await ContainerSwitch.Find(host, component, cancellationToken)).StartedAt;
        }

        return new SeenComponents(started);
    }
}

/// <param name="Before">When the container that is to be restarted had started.</param>
public sealed record RestartInput(Guid ServerId, string Component, DateTimeOffset? Before);

/// <summary>A component's container, started anew once.</summary>
public sealed class RestartComponent(Servers.Servers servers, TimeProvider time) : Step<RestartComponent, RestartInput, Nothing>, IPreviewable<RestartInput, Nothing>
{
    // Docker's 10 s until it kills what does not end by itself, and those in which it starts it again.
    private static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public override async Task<Nothing> Run(RestartInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var container = await ContainerSwitch.Find(host, input.Component, step.Cancellation);

        // What an interrupted attempt has ordered, Docker goes on doing, and until it is done the container looks as before it.
        var begun = time.GetTimestamp();
        while (step.WasInterrupted && !IsAnew(container) && time.GetElapsedTime(begun) < UnderWay)
        {
            await Task.Delay(Pause, time, step.Cancellation);
            container = await ContainerSwitch.Find(host, input.Component, step.Cancellation);
        }

        if (!IsAnew(container))
        {
            await host.Docker.Restart(container.Name, cancellationToken: step.Cancellation);
        }

        // Also one that was stopped: from now on it is to run.
        await host.Docker.KeepRunning(container.Name, step.Cancellation);

        if (input.Component == Component.Monitor)
        {
            await StartMonitor.AwaitListening(host, step);
        }

        await servers.SetStopped(input.ServerId, input.Component, null, step.Cancellation);
        step.Changed($"restarted {container.Name}");
        return Nothing.Value;

        bool IsAnew(DockerContainer seen) => seen.IsRunning && seen.StartedAt != input.Before;
    }

    public async Task<Preview<Nothing>> Preview(RestartInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var container = await ContainerSwitch.Find(host, input.Component, cancellationToken);
        return Preview<Nothing>.Of(Nothing.Value, container.IsRunning ? ContainerSwitch.Container(ChangeKind.Restart, container.Name) : ContainerSwitch.Container(ChangeKind.Start, container.Name, $"it is {container.State} now"));
    }
}
