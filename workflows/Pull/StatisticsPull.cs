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
        var (tally, began) = (new Tally(), Stopwatch.GetTimestamp());
        do
        {
            var answer = await session.Ask(
                agent ? new SenderQuestion(session.AgentAcked, current.Agent, false) : null, monitor ? new SenderQuestion(session.MonitorAcked, current.Monitor, fresh) : null,
                fresh ? FreshPatience : Patience, cancellationToken);
            fresh = false;
            if (agent)
            {
                session.AgentAcked = null;
                var report = answer.Agent?.Report;
                (agent, session.AgentAcked) = await Take(server, "agent", true, answer.Agent, report?.Epoch, report?.Beats, beat => beat?.Seq,
                    beats => ingestion.Accept(server.Id, report! with { Beats = beats }, current.PullInterval, cancellationToken), tally);
            }

            if (monitor)
            {
                session.MonitorAcked = null;
                var report = answer.Monitor?.Report;
                (monitor, session.MonitorAcked) = await Take(server, "monitor", server.HasMonitor, answer.Monitor, report?.Epoch, report?.Samples, sample => sample?.Seq,
                    samples => ingestion.Accept(server.Id, report! with { Samples = samples }, cancellationToken), tally);
            }
        }
        while ((agent || monitor) && Stopwatch.GetElapsedTime(began) < longEnough);
        return tally.Problems.Count == 0
            ? new PullOutcome(tally.Records, tally.Dropped.Count == 0 ? null : string.Join(" ", tally.Dropped.Take(3)))
            : throw new PullRefusedException(string.Join(" ", tally.Problems));
    }

    /// <summary>Commits what one of them has given.</summary>
    /// <returns>Whether it has more, and what it may forget.</returns>
    private static async Task<(bool More, Acknowledgement? Acked)> Take<TReport, TRecord>(
        PulledServer server, string who, bool needed, SenderAnswer<TReport>? answer, string? epoch, IReadOnlyList<TRecord>? records, Func<TRecord, long?> seq, Func<IReadOnlyList<TRecord>, Task<Accepted>> accept, Tally tally)
    {
        if (answer?.Problem is { } problem)
        {
            if (needed)
            {
                tally.Problems.Add($"The {who} on {server.Name} does not answer: {problem}. Whether it runs, the host tells: {(who == "agent" ? "python3 agent/agent.py status, in the product's folder there" : "docker logs managed-servers-monitor")}.");
            }

            return default;
        }

        if (!Guid.TryParse(answer?.Server, out var reports) || reports != server.Id)
        {
            tally.Problems.Add($"The {who} on the host of {server.Name} reports for {(answer?.Server is { Length: <= 64 } other ? $"server {other}" : "nobody known")} and not for this server. Nothing of it was taken. "
                + $"The address may be another host's by now; otherwise install again: msctl servers install {server.Name}");
            return default;
        }

        if (records is not [.., var last])
        {
            return default;
        }

        if (records.Count > MostRecords)
        {
            throw new PullRefusedException($"The {who} on the host of {server.Name} gives {records.Count} records at once; at most {MostRecords} are taken. Nothing of them was.");
        }

        tally.Records += await Commit(server, records, accept, tally);
        return (answer!.More, epoch is { Length: <= 64 } && seq(last) is { } through ? new Acknowledgement(epoch, through) : null);
    }

    /// <summary>One record that the product does not take must not hold up the others: it is told, and let go of.</summary>
    private static async Task<int> Commit<TRecord>(PulledServer server, IReadOnlyList<TRecord> records, Func<IReadOnlyList<TRecord>, Task<Accepted>> accept, Tally tally)
    {
        try
        {
            return (await accept(records)).Count;
        }
        catch (InvalidInputException refusal) when (records.Count == 1)
        {
            tally.Dropped.Add($"A record of {server.Name} was refused and dropped: {refusal.Message}");
            return 0;
        }
        catch (InvalidInputException)
        {
            var taken = 0;
            foreach (var record in records)
            {
                taken += await Commit(server, [record], accept, tally);
            }

            return taken;
        }
    }

    private sealed class Tally
    {
        public int Records { get; set; }

        public List<string> Problems { get; } = [];

        public List<string> Dropped { get; } = [];
    }
}
