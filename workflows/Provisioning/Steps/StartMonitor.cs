using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Pull;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="ConfigurationId">What DNS serves beside it: the zones under which it counts; null where that does not change.</param>
public sealed record MonitorInput(Guid ServerId, CatalogueImage Image, Uri ApiAddress, Guid? ConfigurationId, StatisticsWay Statistics = StatisticsWay.Https);

/// <summary>The monitor's container, running with its current settings and listening for Knot.</summary>
public sealed class StartMonitor(Servers.Servers servers, Configurations configurations, PayloadFiles payload, PulledServers pulled) : Step<StartMonitor, MonitorInput, RunningContainer>, IUndoable<MonitorInput, RunningContainer>, IPreviewable<MonitorInput, RunningContainer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // The host itself looks again and again: a round trip each time would be later.
    private const string Dial =
        """
        import os, socket, sys, time
        folder, name = os.path.split(sys.argv[1])
        os.chdir(folder)  # the path of a socket has 107 characters at most, and a home folder can be long
        end = time.monotonic() + float(sys.argv[2])
        while True:
            try:
                socket.socket(socket.AF_UNIX).connect(name)
                break
            except OSError:
                if time.monotonic() > end:
                    sys.exit(1)
                time.sleep(0.02)
        """;

    public override async Task<RunningContainer> Run(MonitorInput input, StepContext step)
    {
        var token = step.Cancellation;
        await using var host = await servers.Connect(input.ServerId, token);
        var layout = HostLayout.Of(host);
        if (input.Statistics == StatisticsWay.Pull)
        {
            await pulled.Begin(input.ServerId, token);
        }

        var written = await host.WriteFiles(await Files(layout, input, token), token);
        var specification = ContainerSpecification.Monitor(layout, input.Image, step.IdempotencyKey);
        var container = await ContainerSwitch.Ensure(host, Component.Monitor, specification, step);

        // After an interruption nobody knows whether the container has read the file that is there now.
        if ((written.Contains(true) || step.WasInterrupted) && !container.Created)
        {
            await host.Docker.Restart(Component.ContainerName(Component.Monitor), cancellationToken: token);
            step.Changed("restarted the monitor with new settings");
        }

        await AwaitListening(host, step);
        await servers.SetSpecification(input.ServerId, Component.Monitor, specification.Digest, token);
        return container;
    }

    // A Knot that starts before anybody listens tries again after seconds, and what it is asked in them is counted under no name.
    internal static async Task AwaitListening(IHost host, StepContext step)
    {
        var socket = HostLayout.Of(host).TapSocket;
        if (!(await host.Run(["python3", "-c", Dial, socket, $"{Patience.TotalSeconds:0}"], cancellationToken: step.Cancellation)).Succeeded)
        {
            var log = await host.Docker.Logs(Component.ContainerName(Component.Monitor), 5, step.Cancellation);
            throw new StepRejectedException($"The monitor on {host.Target} does not listen at {socket} {Patience.TotalSeconds:0} s after its start. The log of its container ends with: {log}");
        }
    }

    public async Task<Preview<RunningContainer>> Preview(MonitorInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var layout = HostLayout.Of(host);
        List<PlannedChange> changes = [];
        foreach (var file in await Files(layout, input, cancellationToken))
        {
            var there = await host.ReadFile(file.Path, cancellationToken: cancellationToken);
            if (there is null || !there.AsSpan().SequenceEqual(file.Content.Span))
            {
                // Never with what differs: the settings hold a token.
                changes.Add(new PlannedChange(there is null ? ChangeKind.Add : ChangeKind.Change, "file", file.Path));
            }
        }

        var (container, change) = await ContainerSwitch.Foresee(host, Component.Monitor, ContainerSpecification.Monitor(layout, input.Image, ""), cancellationToken);
        change ??= changes.Count > 0 ? ContainerSwitch.Container(ChangeKind.Restart, Component.ContainerName(Component.Monitor), "for its new settings") : null;
        return Preview<RunningContainer>.Of(container, change is null ? changes : [.. changes, change]);
    }

    private async Task<IReadOnlyList<HostFile>> Files(HostLayout layout, MonitorInput input, CancellationToken cancellationToken) =>
    [
        new HostFile($"{layout.Monitor}/ca.pem", Encoding.UTF8.GetBytes(payload.AuthorityPem), HostLayout.PrivateFile),
        new HostFile($"{layout.Monitor}/config.json", await payload.MonitorConfiguration(input.ServerId, input.ApiAddress, await Zones(input, cancellationToken), input.Statistics, cancellationToken), HostLayout.PrivateFile),
    ];

    private async Task<IReadOnlyList<string>> Zones(MonitorInput input, CancellationToken cancellationToken)
    {
        var dns = input.ConfigurationId is { } id ? (await configurations.Get(id, cancellationToken)).Dns : await configurations.InstalledDns(input.ServerId, cancellationToken);
        return [.. (dns?.Zones ?? []).Select(z => z.Name)];
    }

    public async Task Undo(MonitorInput input, RunningContainer? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await ContainerSwitch.Undo(host, Component.Monitor, step);
        var before = (await servers.Get(input.ServerId.ToString(), step.Cancellation)).Statistics;
        if (before != StatisticsWay.Pull)
        {
            await pulled.End(input.ServerId, step.Cancellation);
        }

        // One that stays sends as it did before this run.
        if (before != input.Statistics && await host.Docker.FindContainer(Component.ContainerName(Component.Monitor), step.Cancellation) is not null
            && (await host.WriteFiles(await Files(HostLayout.Of(host), input with { Statistics = before, ConfigurationId = null }, step.Cancellation), step.Cancellation)).Contains(true))
        {
            await host.Docker.Restart(Component.ContainerName(Component.Monitor), cancellationToken: step.Cancellation);
            step.Changed("restarted the monitor with its settings of before");
        }
    }
}
