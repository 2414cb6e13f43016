using System.Diagnostics;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Pull;

/// <param name="Records">That were new.</param>
/// <param name="Dropped">What the product does not take, and why; null where there is none.</param>
public sealed record PullOutcome(int Records, string? Dropped);

/// <summary>Fetches what waits on a host, commits it, and lets the host forget it.</summary>
public sealed class StatisticsPull
{
    private const int MostRecords = 1000;

    // More than an agent takes to answer, and it may be busy with another question.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FreshPatience = TimeSpan.FromSeconds(25);

    // What is left then comes with the next sweep: one that was away for long must not hold up the others.
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(10);

    // Of what is being uninstalled, everything: a full spool takes so long at worst.
    private static readonly TimeSpan LastLongEnough = TimeSpan.FromMinutes(2);

    private readonly PullSessions sessions;
    private readonly Ingestion ingestion;
    private readonly CurrentMonitoring current;

    internal StatisticsPull(PullSessions sessions, Ingestion ingestion, CurrentMonitoring current) => (this.sessions, this.ingestion, this.current) = (sessions, ingestion, current);

    /// <exception cref="PullRefusedException">The agent or the monitor does not answer, or not as it should. What the other one has given is committed.</exception>
    /// <exception cref="HostUnavailableException">The host cannot be reached.</exception>
    /// <exception cref="HostRejectedException">The host refuses.</exception>
    /// <exception cref="IngestionBusyException">Nothing can be written just now.</exception>
    internal Task<PullOutcome> Read(PulledServer server, CancellationToken cancellationToken) =>
        sessions.With(server, session => Read(server, session, agent: true, monitor: true, fresh: false, LongEnough, cancellationToken), cancellationToken);

    /// <summary>All that its monitor has, and counts now: after it, the monitor is taken away.</summary>
    internal Task<PullOutcome> ReadLastOfMonitor(PulledServer server, CancellationToken cancellationToken) =>
        sessions.With(server, session => Read(server, session, agent: false, monitor: true, fresh: true, LastLongEnough, cancellationToken), cancellationToken);

    /// <summary>All that its agent has; then the host is let go of.</summary>
    internal async Task<PullOutcome> ReadLastOfAgent(PulledServer server, CancellationToken cancellationToken)
    {
        var outcome = await sessions.With(server, session => Read(server, session, agent: true, monitor: false, fresh: false, LastLongEnough, cancellationToken), cancellationToken);
        await sessions.Close(server.Id, cancellationToken);
        return outcome;
    }

    private async Task<PullOutcome> Read(PulledServer server, PullSession session, bool agent, bool monitor, bool fresh, TimeSpan longEnough, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        List<Taken> all = [];
        do
        {
            var answer = await session.Ask(
                agent ? new SenderQuestion(session.AgentAcked, current.Agent, false) : null, monitor ? new SenderQuestion(session.MonitorAcked, current.Monitor, fresh) : null,
                fresh ? FreshPatience : Patience, cancellationToken);
            fresh = false;
            var (beats, samples) = (answer.Agent?.Report, answer.Monitor?.Report);
            // Both at once: they are committed together then.
            var ofAgent = !agent ? Taken.Nothing : Take(server, "agent", true, answer.Agent, beats?.Epoch, beats?.Beats, beat => beat?.Seq,
                some => ingestion.Accept(server.Id, beats! with { Beats = some }, current.PullInterval, cancellationToken));
            var ofMonitor = !monitor ? Taken.Nothing : Take(server, "monitor", server.HasMonitor, answer.Monitor, samples?.Epoch, samples?.Samples, sample => sample?.Seq,
                some => ingestion.Accept(server.Id, samples! with { Samples = some }, cancellationToken));
            (session.AgentAcked, session.MonitorAcked) = (agent ? null : session.AgentAcked, monitor ? null : session.MonitorAcked);
            await Task.WhenAll(ofAgent, ofMonitor);
            all.AddRange([await ofAgent, await ofMonitor]);
            (session.AgentAcked, session.MonitorAcked) = (agent ? all[^2].Acked : session.AgentAcked, monitor ? all[^1].Acked : session.MonitorAcked);
            (agent, monitor) = (all[^2].More, all[^1].More);
        }
        while ((agent || monitor) && Stopwatch.GetElapsedTime(began) < longEnough);
        var dropped = all.SelectMany(t => t.Dropped).Take(3).ToList();
        return all.Any(t => t.Problem is not null) ? throw new PullRefusedException(string.Join(" ", all.Select(t => t.Problem).OfType<string>()))
            : new PullOutcome(all.Sum(t => t.Records), dropped.Count == 0 ? null : string.Join(" ", dropped));
    }

    /// <summary>Commits what one of them has given.</summary>
    private static async Task<Taken> Take<TReport, TRecord>(
        PulledServer server, string who, bool needed, SenderAnswer<TReport>? answer, string? epoch, IReadOnlyList<TRecord>? records, Func<TRecord, long?> seq, Func<IReadOnlyList<TRecord>, Task<Accepted>> accept)
    {
        if (answer?.Problem is { } problem)
        {
            return new Taken
            {
                Problem = !needed ? null
                    : $"The {who} on {server.Name} does not answer: {problem}. Whether it runs, the host tells: {(who == "agent" ? "python3 agent/agent.py status, in the product's folder there" : "docker logs managed-servers-monitor")}.",
            };
        }

        if (!Guid.TryParse(answer?.Server, out var reports) || reports != server.Id)
        {
            return new Taken
            {
                Problem = $"The {who} on the host of {server.Name} reports for {(answer?.Server is { Length: <= 64 } other ? $"server {other}" : "nobody known")} and not for this server. Nothing of it was taken. "
                    + $"The address may be another host's by now; otherwise install again: msctl servers install {server.Name}",
            };
        }

        if (records is not [.., var last])
        {
            return new Taken();
        }

        if (records.Count > MostRecords)
        {
            throw new PullRefusedException($"The {who} on the host of {server.Name} gives {records.Count} records at once; at most {MostRecords} are taken. Nothing of them was.");
        }

        List<string> dropped = [];
        return new Taken
        {
            Records = await Commit(server, records, accept, dropped), Dropped = dropped, More = answer!.More,
            Acked = epoch is { Length: <= 64 } && seq(last) is { } through ? new Acknowledgement(epoch, through) : null,
        };
    }

    /// <summary>One record that the product does not take must not hold up the others: it is told, and let go of.</summary>
    private static async Task<int> Commit<TRecord>(PulledServer server, IReadOnlyList<TRecord> records, Func<IReadOnlyList<TRecord>, Task<Accepted>> accept, List<string> dropped)
    {
        try
        {
            return (await accept(records)).Count;
        }
        catch (InvalidInputException refusal) when (records.Count == 1)
        {
            dropped.Add($"A record of {server.Name} was refused and dropped: {refusal.Message}");
            return 0;
        }
        catch (InvalidInputException)
        {
            var taken = 0;
            foreach (var record in records)
            {
                taken += await Commit(server, [record], accept, dropped);
            }

            return taken;
        }
    }

    /// <summary>What came of an answer of one of them.</summary>
    private sealed record Taken
    {
        public static Task<Taken> Nothing { get; } = Task.FromResult(new Taken());

        public int Records { get; init; }

        public bool More { get; init; }

        /// <summary>What it may forget.</summary>
        public Acknowledgement? Acked { get; init; }

        public string? Problem { get; init; }

        public IReadOnlyList<string> Dropped { get; init; } = [];
    }
}
