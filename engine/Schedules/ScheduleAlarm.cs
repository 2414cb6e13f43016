using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>
/// Keeps what Hangfire knows of the schedules: a recurring job for a cron expression, a delayed one for the next time of an interval. It may fail or be late
/// without harm, because a sweep fires what no job has woken.
/// </summary>
internal sealed class ScheduleAlarm(HangfireStorage hangfire, ScheduleTable table, ILogger<ScheduleAlarm> logger) : IDisposable
{
    // Before the runs: a wake-up is over in milliseconds.
    private static readonly string Queue = RunQueue.Names[0];

    private readonly RecurringJobManager recurring = new(hangfire.Storage);
    private readonly BackgroundJobClient client = new(hangfire.Storage);
    // One after another, each from the row as it is then: so the last one leaves what is true.
    private readonly SemaphoreSlim turn = new(1, 1);

    /// <summary>
    /// Tells Hangfire how the schedule stands now. In the background: a lock that a killed node has left in Hangfire's tables holds it up for a minute.
    /// </summary>
    public void Set(string name, bool recurring = true) => _ = Task.Run(async () =>
    {
        await turn.WaitAsync();
        try
        {
            Tell(name, await table.Read(name), recurring);
        }
        catch (Exception fault)
        {
            logger.LogWarning("Hangfire could not be told of schedule {Schedule}; the sweep fires it meanwhile: {Why}", name, fault.Message);
        }
        finally
        {
            turn.Release();
        }
    });

    /// <summary>Puts right what Hangfire has of all schedules: after a process died between its commit and telling, or somebody removed one on Hangfire's own page.</summary>
    public async Task Reconcile()
    {
        var schedules = await table.All();
        List<RecurringJobDto> known;
        using (var connection = hangfire.Storage.GetConnection())
        {
            known = connection.GetRecurringJobs();
        }

        var wanted = schedules.Where(Recurs).ToDictionary(s => s.Name);
        foreach (var schedule in wanted.Values)
        {
            if (!known.Any(k => k.Id == schedule.Name && k.Cron == schedule.Cron && k.TimeZoneId == Zone(schedule).Id && k.Error is null))
            {
                Set(schedule.Name);
            }
        }

        foreach (var gone in known.Where(k => k.Job?.Type == typeof(ScheduleJob) && !wanted.ContainsKey(k.Id)))
        {
            Set(gone.Id);
        }
    }

    public void Dispose() => turn.Dispose();

    private static bool Recurs(ScheduleRow schedule) => schedule is { Cron: not null, PausedAt: null };

    private static TimeZoneInfo Zone(ScheduleRow schedule) => ScheduleTiming.Zone(schedule.TimeZone);

    private void Tell(string name, ScheduleRow? schedule, bool recurs)
    {
        if (recurs && schedule is not null && Recurs(schedule))
        {
            recurring.AddOrUpdate(name, Job.FromExpression<ScheduleJob>(j => j.Wake(name, null), Queue), schedule.Cron,
                new RecurringJobOptions { TimeZone = Zone(schedule), MisfireHandling = MisfireHandlingMode.Relaxed });
        }
        else if (recurs)
        {
            recurring.RemoveIfExists(name);
        }

        if (schedule is { PausedAt: null, DueAt: { } due, NextAt: { } nominal } && (schedule.Every is not null || !recurs))
        {
            client.Create<ScheduleJob>(Queue, j => j.Wake(name, nominal), new ScheduledState(due.UtcDateTime));
        }
    }
}
