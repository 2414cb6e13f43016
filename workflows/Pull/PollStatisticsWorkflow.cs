using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Pull;

public sealed record PollStatisticsInput;

/// <summary>Fetches what the agents and monitors of hosts have measured that cannot reach the product: one run a sweep. There are two a minute, so they are kept for a day and stand in lists for those only who ask for them.</summary>
[Workflow(Kind, version: 1, RoutineHours = 24)]
public sealed class PollStatisticsWorkflow : IWorkflow<PollStatisticsInput>
{
    public const string Kind = "poll-statistics";

    public string Title(PollStatisticsInput input) => "fetch the statistics of hosts over SSH";

    public void Describe(WorkflowPlan<PollStatisticsInput> plan) =>
        plan.Step("pull", "Fetch what waits on the hosts", PullStatistics.With(plan.Input)).Retry(Backoff.None).Timeout(TimeSpan.FromMinutes(5)).OnFailure(StepFailure.Fail);
}

/// <param name="Failures">By server; at most a hundred.</param>
public sealed record PollSweep(int Read, int Records, int Failed, IReadOnlyList<PullFailure> Failures);

public sealed record PullFailure(string Server, string Reason);

/// <summary>One sweep over the servers that are due. One that fails is a line of the result and holds up nobody.</summary>
public sealed class PullStatistics(PulledServers pulled, StatisticsPull pull, CurrentMonitoring current) : Step<PullStatistics, PollStatisticsInput, PollSweep>
{
    private const int AtOnce = 64;
    private const int MostTold = 100;
    private const int LongestReason = 500;

    // Of the interval, within which all have begun: the rest is for the slow ones.
    private const double Spread = 0.8;

    // A few servers need not be waited for any longer.
    private static readonly TimeSpan LongestGap = TimeSpan.FromMilliseconds(100);

    // A host that answers nothing must not keep one of the places for long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public override async Task<PollSweep> Run(PollStatisticsInput input, StepContext step)
    {
        var sweep = await Sweep(LongestGap, (done, all) => step.Progress(done / (double)all, $"{done} of {all} servers"), step.Cancellation);
        step.Unchanged($"{sweep.Read} read, {sweep.Records} new records{(sweep.Failures.Count > 0 ? $", {sweep.Failed} not read: {sweep.Failures[0].Server}: {sweep.Failures[0].Reason}" : "")}");
        return sweep;
    }

    /// <param name="longestGap">Between the begin of two servers.</param>
    internal async Task<PollSweep> Sweep(TimeSpan longestGap, Action<int, int> progress, CancellationToken cancellationToken)
    {
        var due = await pulled.Due(cancellationToken);
        var outcomes = new ConcurrentBag<Outcome>();
        var gap = due.Count == 0 ? longestGap : TimeSpan.FromTicks(Math.Min(longestGap.Ticks, (long)(current.PullInterval.Ticks * Spread / due.Count)));
        await Parallel.ForEachAsync(Evenly(due, gap, cancellationToken), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (server, token) =>
        {
            outcomes.Add(await Read(server, token));
            progress(outcomes.Count, due.Count);
        });

        await pulled.Note([.. outcomes.Where(o => o.Counts).Select(o => (o.Server.Id, o.Problem))], cancellationToken);
        var told = outcomes.Where(o => o.Problem is not null || o.Dropped is not null).OrderBy(o => o.Problem is null).ThenBy(o => o.Server.Name, StringComparer.Ordinal);
        return new PollSweep(
            outcomes.Count(o => o.Problem is null), outcomes.Sum(o => o.Records), outcomes.Count(o => o.Problem is not null),
            [.. told.Take(MostTold).Select(o => new PullFailure(o.Server.Name, Short(o.Problem ?? o.Dropped!)))]);
    }

    private async Task<Outcome> Read(PulledServer server, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var read = await pull.Read(server, limit.Token);
            return new Outcome(server, read.Records, null, read.Dropped);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Outcome(server, 0, $"{server.Name} could not be read within {Patience.TotalSeconds:0} s. The host, or this node, is overloaded.");
        }
        catch (IngestionBusyException e)
        {
            // That is ours, and says nothing of the host.
            return new Outcome(server, 0, e.Message) { Counts = false };
        }
        catch (ServerNotFoundException)
        {
            return new Outcome(server, 0, $"{server.Name} was removed meanwhile.") { Counts = false };
        }
        catch (Exception e) when (e is not (OperationCanceledException or NpgsqlException))
        {
            return new Outcome(server, 0, e.Message);
        }
    }

    private static async IAsyncEnumerable<PulledServer> Evenly(IReadOnlyList<PulledServer> due, TimeSpan gap, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < due.Count; i++)
        {
            if (gap * i - Stopwatch.GetElapsedTime(began) is { TotalMilliseconds: >= 1 } early)
            {
                await Task.Delay(early, cancellationToken);
            }

            yield return due[i];
        }
    }

    private static string Short(string reason) => reason.Length <= LongestReason ? reason : reason[..LongestReason] + "…";

    private sealed record Outcome(PulledServer Server, int Records, string? Problem, string? Dropped = null)
    {
        public bool Counts { get; init; } = true;
    }
}
