using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Pull;

namespace ManagedServers.Workflows.Servers;

/// <summary>How a server does, as lists show it.</summary>
public enum ServerState
{
    New,
    Installing,
    Uninstalling,

    /// <summary>Installed a moment ago; its first heartbeat is still due.</summary>
    Starting,
    Running,

    /// <summary>It serves, and something on the host is not as it was asked for.</summary>
    Drifted,

    /// <summary>Something that is installed does not run, and something else serves.</summary>
    Degraded,
    Stopped,
    Failed,
    Unreachable,
}

/// <summary>A component with the state that the host last reported.</summary>
public sealed record ComponentView(string Name, string Version, string State);

/// <summary>The heartbeat bar.</summary>
public sealed record HeartbeatView(int Due, int Received, HeartbeatStatus Status, DateTimeOffset? LastAt);

/// <summary>A server as operators see it.</summary>
public sealed record ServerView
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public InstallationType Installation { get; init; }

    /// <summary>Null where an operator installs by hand and gave none; what follows is null on each such server.</summary>
    public required string? Address { get; init; }
    public required int? SshPort { get; init; }
    public required string? SshUser { get; init; }
    public required Authentication? Authentication { get; init; }
    public required HostKey? HostKey { get; init; }
    public string? SshRoute { get; init; }
    public LoginKind? Login { get; init; }
    public OsFamily? OperatingSystem { get; init; }

    /// <summary>Where everything of the product lies on the host.</summary>
    public required string Folder { get; init; }
    public string? ApiAddress { get; init; }

    /// <summary>As in <see cref="Server.Statistics"/>.</summary>
    public StatisticsWay Statistics { get; init; }
    public required ServerState State { get; init; }

    /// <summary>Why it is in this state, where that is not plain.</summary>
    public string? StateReason { get; init; }

    /// <summary>Why its last run is paused; null when it is not. What the server does meanwhile, its state tells.</summary>
    public string? PausedRun { get; init; }

    /// <summary>Why nobody knows whether its host is as it was asked to be; null where somebody has looked.</summary>
    public string? DriftProblem { get; init; }

    /// <summary>Why its statistics could not be fetched, three times in a row or more often; null otherwise.</summary>
    public string? PullProblem { get; init; }
    public required IReadOnlyList<ComponentView> Components { get; init; }
    public required HeartbeatView Heartbeat { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public Guid? LastRunId { get; init; }
}

/// <summary>Servers together with what their last run and their heartbeats say: the state is worked out when it is asked for, so it cannot go stale.</summary>
public sealed class ServerOverview(Servers servers, Heartbeats heartbeats, IRuns runs, DriftFindings drift, PulledServers pulled, CurrentMonitoring monitoring, TimeProvider time)
{
    public async Task<IReadOnlyList<ServerView>> List(string? filter = null, string? after = null, int limit = 100, CancellationToken cancellationToken = default) =>
        await View(await servers.List(filter, after, limit, cancellationToken), cancellationToken);

    public async Task<ServerView> Get(string idOrName, CancellationToken cancellationToken = default) =>
        (await View([await servers.Get(idOrName, cancellationToken)], cancellationToken))[0];

    private async Task<IReadOnlyList<ServerView>> View(IReadOnlyList<Server> found, CancellationToken cancellationToken)
    {
        var beats = (await heartbeats.Summary([.. found.Select(s => s.Id)], cancellationToken)).ToDictionary(b => b.ServerId);
        var lastRuns = (await runs.Get([.. found.Select(s => s.LastRunId).OfType<Guid>()], cancellationToken)).ToDictionary(r => r.Id);
        var drifted = await drift.Summary([.. found.Select(s => s.Id)], cancellationToken);
        var silent = await pulled.Problems([.. found.Select(s => s.Id)], cancellationToken);
        List<ServerView> views = [];
        foreach (var server in found)
        {
            var run = server.LastRunId is { } id ? lastRuns.GetValueOrDefault(id) : null;
            var since = await Since(beats[server.Id], run, cancellationToken);
            views.Add(View(server, beats[server.Id], run, since, drifted.GetValueOrDefault(server.Id)) with { PullProblem = silent.GetValueOrDefault(server.Id) });
        }

        return views;
    }

    /// <summary>A heartbeat from before tells nothing about what a run has started or stopped since: this, and nothing else. Null where there is no such run.</summary>
    private async Task<RunDetails?> Since(HeartbeatSummary beat, RunSummary? run, CancellationToken cancellationToken) =>
        run is { State: RunState.Succeeded, Kind: StartWorkflow.Kind or StopWorkflow.Kind or RestartWorkflow.Kind } && beat.LastAt < run.FinishedAt ? await runs.Get(run.Id, cancellationToken) : null;

    private ServerView View(Server server, HeartbeatSummary beat, RunSummary? run, RunDetails? since, (int Count, string? First, string? Problem) drifted)
    {
        IReadOnlyList<string> begun = since?.Input.Deserialize<ComponentsInput>(EngineJson.Options)?.Components ?? [];
        IReadOnlyList<string> stopped = since is null ? [] : [.. server.Components.Where(c => c.StoppedBy is not null).Select(c => c.Name)];
        var components = Known(server, beat, run).Select(c => stopped.Contains(c.Name) ? new ComponentView(c.Name, c.Version, "stopped")
            : begun.Contains(c.Name) ? new ComponentView(c.Name, c.Version, "unknown") : Component(c, beat)).ToList();
        var (state, reason) = since?.Kind switch
        {
            null => State(server, components, beat, run) switch
            {
                (ServerState.Running, _) when drifted.Count > 0 => (ServerState.Drifted, Words(drifted)),
                var told => told,
            },
            StopWorkflow.Kind => Stopped(components, stopped, "stopped a moment ago; its next heartbeat tells more"),
            _ => (ServerState.Starting, "waiting for its next heartbeat"),
        };
        return new ServerView
        {
            Id = server.Id, Name = server.Name, Installation = server.Installation, Address = server.Address, SshPort = server.SshPort, SshUser = server.SshUser,
            Authentication = server.Authentication, HostKey = server.HostKey, SshRoute = server.SshRoute,
            Login = server.Installation == InstallationType.Manual ? null : server.Login.Kind, Folder = server.Login.Folder, OperatingSystem = server.OperatingSystem, ApiAddress = server.ApiAddress, Statistics = server.Statistics,
            State = state, StateReason = reason, PausedRun = run?.State == RunState.Paused ? run.Reason : null, DriftProblem = drifted.Problem, Components = components,
            // Where nothing is installed any more, no heartbeat is missed.
            Heartbeat = new HeartbeatView(beat.Due, beat.Received, state == ServerState.New ? HeartbeatStatus.None : beat.Status, beat.LastAt),
            CreatedAt = server.CreatedAt, LastRunId = server.LastRunId,
        };
    }

    // A first install writes down what there is at its very end. Paused before that, it may serve already: the host tells, once its agent does.
    private static IEnumerable<(string Name, string Version)> Known(Server server, HeartbeatSummary beat, RunSummary? run) =>
        server.Components.Count == 0 && run?.State == RunState.Paused
            ? beat.Components.Where(c => c.Name is not null).Select(c => (c.Name!, c.Version ?? ""))
            : server.Components.Select(c => (c.Name, c.Version));

    private static ComponentView Component((string Name, string Version) installed, HeartbeatSummary beat)
    {
        // What a host said before it fell silent may be true no more.
        if (beat.Status == HeartbeatStatus.Silent || beat.Docker?.State != "running")
        {
            return new ComponentView(installed.Name, installed.Version, "unknown");
        }

        var reported = beat.Components.FirstOrDefault(c => c.Name == installed.Name);
        return new ComponentView(installed.Name, reported?.Version ?? installed.Version, reported?.State?.ToString().ToLowerInvariant() ?? "stopped");
    }

    private (ServerState, string?) State(Server server, List<ComponentView> components, HeartbeatSummary beat, RunSummary? run) => run?.State switch
    {
        RunState.Queued or RunState.Running or RunState.Waiting when run.Kind is UninstallWorkflow.Kind or ManualUninstallWorkflow.Kind => (ServerState.Uninstalling, run.Reason),
        RunState.Queued or RunState.Running or RunState.Waiting when run.Kind is not (StartWorkflow.Kind or StopWorkflow.Kind or RestartWorkflow.Kind or ApplyWorkflow.Kind) => (ServerState.Installing, run.Reason),
        // Cancelled and taken back: there is nothing of ours on the host.
        RunState.Cancelled when components.Count == 0 && run.Undone => (ServerState.New, run.Reason),
        RunState.Paused or RunState.Failed or RunState.Cancelled when components.Count == 0 && run.Kind is not (StartWorkflow.Kind or StopWorkflow.Kind or RestartWorkflow.Kind) => (ServerState.Failed, run.Reason),
        _ when components.Count == 0 => (ServerState.New, null),
        _ when beat.LastAt is null && time.GetUtcNow() - (run?.FinishedAt ?? server.CreatedAt) < monitoring.Window => (ServerState.Starting, "waiting for its first heartbeat"),
        _ when beat.LastAt is null => (ServerState.Unreachable, "no heartbeat yet"),
        _ when beat.Status == HeartbeatStatus.Silent => (ServerState.Unreachable, $"last heard {Age(time.GetUtcNow() - beat.LastAt.Value)} ago"),
        _ when beat.Docker is { State: not "running" } docker => (ServerState.Stopped, docker.State == "stopped" ? "Docker does not run on the host" : "the host's agent gets no answer from Docker"),
        _ when components.Find(c => c.State != "running") is { } stopped => Stopped(components, components.Where(c => c.State != "running").Select(c => c.Name), $"{stopped.Name} is {stopped.State}"),
        _ => (ServerState.Running, null),
    };

    private static (ServerState, string) Stopped(List<ComponentView> components, IEnumerable<string> down, string reason) =>
        string.Join(" and ", components.Select(c => c.Name).Except(down).Where(Provisioning.Component.Serving.Contains)) is { Length: > 0 } serving
            ? (ServerState.Degraded, $"{reason}; {serving} {(serving.Contains(' ', StringComparison.Ordinal) ? "go" : "goes")} on serving") : (ServerState.Stopped, reason);

    private static string? Words((int Count, string? First, string? Problem) drifted) => drifted.Count == 1 ? drifted.First : $"{drifted.First} There {(drifted.Count == 2 ? "is 1" : $"are {drifted.Count - 1}")} more: msctl drift list";

    private static string Age(TimeSpan age) =>
        age.TotalDays >= 1 ? $"{(int)age.TotalDays} d" : age.TotalHours >= 1 ? $"{(int)age.TotalHours} h" : $"{(int)age.TotalMinutes} min";
}
