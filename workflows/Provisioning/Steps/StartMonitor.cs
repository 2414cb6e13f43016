using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record MonitorInput(Guid ServerId, CatalogueImage Image, Uri ApiAddress, IReadOnlyList<string> Zones);

/// <summary>The monitor's container, running with its current settings and listening for Knot.</summary>
public sealed class StartMonitor(Servers.Servers servers, PayloadFiles payload, TimeProvider time) : Step<StartMonitor, MonitorInput, RunningContainer>, IUndoable<MonitorInput, RunningContainer>
{
    private const string Dial = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public override async Task<RunningContainer> Run(MonitorInput input, StepContext step)
    {
        var token = step.Cancellation;
        await using var host = await servers.Connect(input.ServerId, token);
        var layout = HostLayout.Of(host);
        var written = await host.WriteFile($"{layout.Monitor}/ca.pem", Encoding.UTF8.GetBytes(payload.AuthorityPem), HostLayout.PrivateFile, token);
        written |= await host.WriteFile($"{layout.Monitor}/config.json",
            await payload.MonitorConfiguration(input.ServerId, input.ApiAddress, input.Zones, token), HostLayout.PrivateFile, token);
        var container = await ContainerSwitch.Ensure(host, Component.Monitor, ContainerSpecification.Monitor(layout, input.Image, step.IdempotencyKey), step);

        // After an interruption nobody knows whether the container has read the file that is there now.
        if ((written || step.WasInterrupted) && !container.Created)
        {
            await host.Docker.Restart(container.Id, cancellationToken: token);
            step.Changed("restarted the monitor with new settings");
        }

        await AwaitListening(host, time, step);
        return container;
    }

    // A Knot that starts before anybody listens tries again after seconds, and what it is asked in them is counted under no name.
    internal static async Task AwaitListening(IHost host, TimeProvider time, StepContext step)
    {
        var (deadline, socket) = (time.GetUtcNow() + Patience, HostLayout.Of(host).TapSocket);
        while (!(await host.Run(["python3", "-c", Dial, socket], cancellationToken: step.Cancellation)).Succeeded)
        {
            if (time.GetUtcNow() > deadline)
            {
                var log = await host.Docker.Logs(Component.ContainerName(Component.Monitor), 5, step.Cancellation);
                throw new StepRejectedException($"The monitor on {host.Target} does not listen at {socket} {Patience.TotalSeconds:0} s after its start. The log of its container ends with: {log}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), time, step.Cancellation);
        }
    }

    public async Task Undo(MonitorInput input, RunningContainer? made, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await ContainerSwitch.Undo(host, Component.Monitor, step);
    }
}
