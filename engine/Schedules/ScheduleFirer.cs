using System.Globalization;

namespace ManagedServers.Engine;

/// <summary>
/// Starts the runs of what is due. The run, its line in the history and the schedule's next time are one transaction, so it may be called for the same time by
/// any number of jobs, sweeps and nodes, and may end at any moment: before the commit nothing has happened, after it the run's own pump takes over.
/// </summary>
internal sealed class ScheduleFirer(
    ScheduleTable table, ScheduleHistory history, ScheduleCheck check, RunStarter starter, ScheduleAlarm alarm, NodeIdentity node, EngineOptions options)
{
    // Hangfire's clock, which wakes us, is not the database's.
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(5);

    /// <param name="name">The schedule.</param>
    /// <param name="nominal">The time for which a job was made; when the schedule has gone on since, there is nothing to do.</param>
    /// <param name="woken">True when called by a job: if it is early, or the jitter is still to pass, another one is made.</param>
    public async Task Fire(string name, DateTimeOffset? nominal, bool woken)
    {
        var moved = false;
        while (!node.Stopping && await table.Read(name) is { } schedule)
        {
            if (!moved && nominal is not null && nominal != schedule.NextAt)
            {
                return;
            }

            if (schedule.PausedAt is not null)
            {
                if (!schedule.PauseIsOver)
                {
                    return;
                }

                await history.TryEndPause(schedule.Name);
                alarm.Set(schedule.Name);
            }
            else if (schedule.DueAt is not { } due || due > schedule.Now)
            {
                if (moved ? schedule.Every is not null : woken && schedule.NextAt - schedule.Now <= Skew)
                {
                    alarm.Set(schedule.Name, recurring: false);
                }

                return;
            }
            else if (!await Decide(schedule))
            {
                return;
            }

            moved = true;
        }
    }

    /// <summary>False: this node cannot, another one may.</summary>
    private async Task<bool> Decide(ScheduleRow schedule)
    {
        var timing = schedule.Timing;
        var first = schedule.NextAt!.Value;
        var due = Misfires.Decide(schedule.MisfirePolicy, timing, schedule.Jitter, first, schedule.Now, options.MisfireAfter);
        if (due.Missed > 0)
        {
            var next = due.Fire ?? timing.After(first, schedule.Now);
            var when = due.Fire ?? ScheduleRow.Due(next, schedule.Jitter);
            await history.TryMove(schedule, new Firing("missed", first, due.LastMissed!.Value, due.Missed, Missed(schedule.MisfirePolicy, due)), next, when);
            return true;
        }

        if (!check.Known(schedule.Kind) && schedule.Now - first <= options.MisfireAfter + schedule.Jitter)
        {
            return false;
        }

        await Start(schedule, timing, first);
        return true;
    }

    private async Task Start(ScheduleRow schedule, ScheduleTiming timing, DateTimeOffset nominal)
    {
        var next = timing.After(nominal, nominal);
        var due = ScheduleRow.Due(next, schedule.Jitter);
        if (check.Unstartable(schedule.Kind, schedule.InputJson) is { } why)
        {
            await history.TryMove(schedule, new Firing("refused", nominal, nominal, 1, why), next, due);
            return;
        }

        try
        {
            var start = new StartRun
            {
                RequestedBy = $"schedule:{schedule.Name}",
                Subject = schedule.Subject,
                OwnKey = string.Create(CultureInfo.InvariantCulture, $"{Identifiers.ScheduleKey}{schedule.Id}:{nominal.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"),
                KeyIfNone = schedule.QueueKey,
                Priority = schedule.Priority,
            };
            var started = await starter.Start(schedule.Kind, schedule.InputJson, start, within: async (transaction, run) =>
            {
                await EngineDatabase.LetGoWhenFrozen(transaction);
                // First, because it locks the schedule: what is looked at next stays so until the commit.
                await ScheduleHistory.Move(transaction, schedule, new Firing("started", nominal, nominal, 1, null, run), next, due);
                await ScheduleOverlap.Check(transaction, schedule, run);
            });
            if (started.Existing)
            {
                await history.TryMove(schedule, new Firing("started", nominal, nominal, 1, null, started.Id), next, due);
            }
        }
        catch (OverlapException overlap)
        {
            await history.TryMove(schedule, new Firing("skipped", nominal, nominal, 1, overlap.Message), next, due);
        }
        catch (OvertakenException)
        {
            // Another node was first, or an operator has changed the schedule: it is read again.
        }
    }

    private static string Missed(MisfirePolicy policy, DueTimes due) =>
        $"No node was there in time to start {(due.Missed == 1 ? "its run" : "their runs")}." + (due.Counted ? "" : " There were more of them than are counted.")
        + policy switch
        {
            MisfirePolicy.FireOnce => " The run of the time after makes up for it.",
            MisfirePolicy.FireAll => $" At most {Misfires.FireAllLimit} are made up for.",
            _ => "",
        };
}
