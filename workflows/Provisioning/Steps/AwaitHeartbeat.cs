using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Pull;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Since">When this run saw to the agent, which beats then, also when it ran before: what came earlier proves nothing.</param>
public sealed record HeartbeatInput(Guid ServerId, Uri ApiAddress, DateTimeOffset Since, StatisticsWay Statistics = StatisticsWay.Https);

/// <summary>The way back from the host is proven by the first heartbeat that comes over it.</summary>
public sealed class AwaitHeartbeat(Servers.Servers servers, Heartbeats heartbeats, PulledServers pulled, StatisticsPull pull, TimeProvider time) : Step<AwaitHeartbeat, HeartbeatInput, Nothing>, IPreviewable<HeartbeatInput, Nothing>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(75);

    public override async Task<Nothing> Run(HeartbeatInput input, StepContext step)
    {
        var deadline = time.GetUtcNow() + Patience;
        string? notFetched = null;
        for (var pause = 10; ; pause = Math.Min(2 * pause, 250))
        {
            notFetched = input.Statistics == StatisticsWay.Pull ? await Fetch(input, step) : null;
            var summary = (await heartbeats.Summary([input.ServerId], step.Cancellation))[0];
            if (summary.LastAt >= input.Since)
            {
                step.Log($"A heartbeat of {summary.LastAt:HH:mm:ss} UTC has come.");
                return Nothing.Value;
            }

            if (time.GetUtcNow() > deadline)
            {
                throw new StepRejectedException(notFetched is null ? await Explain(input, step) : $"No heartbeat could be fetched within {Patience.TotalSeconds:0} s. {notFetched}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(pause), time, step.Cancellation);
        }
    }

    public Task<Preview<Nothing>> Preview(HeartbeatInput input, CancellationToken cancellationToken) => Task.FromResult(Preview<Nothing>.Nothing(Nothing.Value));

    /// <summary>Why it could not be read; null where it was. That it was lets the sweeps begin.</summary>
    private async Task<string?> Fetch(HeartbeatInput input, StepContext step)
    {
        if (await pulled.Find(input.ServerId, step.Cancellation) is not { } server)
        {
            return "The server is not read by pull any more.";
        }

        try
        {
            await pull.Read(server, step.Cancellation);
            await pulled.Note([(server.Id, null)], step.Cancellation);
            return null;
        }
        catch (Exception e) when (e is IHostProblem or PullRefusedException or IngestionBusyException)
        {
            return e.Message;
        }
    }

    private async Task<string> Explain(HeartbeatInput input, StepContext step)
    {
        if (await servers.Get(input.ServerId.ToString(), step.Cancellation) is { Installation: InstallationType.Manual } server)
        {
            return $"No heartbeat of {server.Name} came within {Patience.TotalSeconds:0} s over {input.ApiAddress}. What it says on the host: agent/agent.log in the product's folder there";
        }

        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        var log = await host.Run(["tail", "-n", "5", $"{HostLayout.Of(host).Agent}/agent.log"], cancellationToken: step.Cancellation);
        return $"No heartbeat of {host.Target} came within {Patience.TotalSeconds:0} s over {input.ApiAddress}. The agent's log on the host ends with: {string.Join(" | ", log.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))}";
    }
}
