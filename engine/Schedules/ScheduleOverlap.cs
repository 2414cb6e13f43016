using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Another run of the schedule is in the way; the message says which.</summary>
internal sealed class OverlapException(string message) : Exception(message);

/// <summary>Applies the overlap policy to a run that is about to be committed, the schedule's row locked.</summary>
internal static class ScheduleOverlap
{
    /// <summary>Runs of one schedule that may wait for each other.</summary>
    public const int QueueLimit = 100;

    private sealed record Unended(Guid Id, string State, int Count);

    /// <exception cref="OverlapException">The run must not be.</exception>
    public static async Task Check(NpgsqlTransaction transaction, ScheduleRow schedule, Guid run)
    {
        var first = await transaction.Connection!.QuerySingleOrDefaultAsync<Unended>("""
            select r.id, r.state, (count(*) over ())::int as Count from engine.schedule_firing f join engine.run r on r.id = f.run_id
            where f.schedule_id = @Id and r.id <> @run and r.state in ('queued', 'running', 'waiting', 'paused')
            order by f.id limit 1
            """, new { schedule.Id, run }, transaction);
        if (first is not null && schedule.OverlapPolicy == OverlapPolicy.Skip)
        {
            throw new OverlapException($"Run {first.Id} of this schedule has not ended: it is {first.State}.");
        }

        if (first is not null && first.Count >= QueueLimit)
        {
            throw new OverlapException($"{first.Count} runs of this schedule wait already, the first of them {first.Id}, which is {first.State}.");
        }
    }
}
