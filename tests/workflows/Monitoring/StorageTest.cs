using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

/// <summary>Beats of hours ago, packed when the test says so.</summary>
public abstract class StorageTest(Database database) : MonitoringTest(database)
{
    private readonly RandomBeats random = new(7);

    protected Metrics Metrics => Get<Metrics>();

    /// <summary>Whole beats, one every 30 s, the last one five seconds ago.</summary>
    protected Task<Accepted> Beat(long firstSeq, int count, DateTimeOffset? last = null, Guid? server = null, Func<Heartbeat, Heartbeat>? with = null)
    {
        var now = Time.GetUtcNow();
        var beats = Enumerable.Range(0, count).Select(i => random.Whole(firstSeq + i, (last ?? now).AddSeconds(-5 - 30 * (count - 1 - i))));
        return Ingestion.Accept(server ?? Server, new HeartbeatReport { Epoch = Reports.Epoch, Now = now, Beats = [.. beats.Select(with ?? (b => b))] });
    }

    protected async Task BeatForHours(int hours, Guid? server = null, Func<Heartbeat, Heartbeat>? with = null)
    {
        for (var hour = 0; hour < hours; hour++)
        {
            await Beat(1 + hour * 120, 120, Time.GetUtcNow().AddHours(hour + 1 - hours), server, with);
        }
    }

    /// <summary>Until nothing of the past stands as rows; the product's own packing may be under way.</summary>
    protected async Task Pack()
    {
        do
        {
            await Get<Compaction>().Compact(CancellationToken.None);
        }
        while (await Count("monitoring.heartbeat where at < @before", new { before = Level.Minute.Block((Time.GetUtcNow() - Options.PackedAfter).UtcDateTime) }) > 0);
    }

    protected async Task<long> Count(string from, object? arguments = null)
    {
        await using var connection = await Source.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>($"select count(*) from {from}", arguments);
    }

    protected async Task<List<StoredHeartbeat>> AllBeats(Guid? server = null)
    {
        var all = new List<StoredHeartbeat>();
        string? before = null;
        do
        {
            var page = await Heartbeats.Recent(server ?? Server, 77, before);
            all.AddRange(page.Items);
            before = page.Next;
        }
        while (before is not null);
        return all;
    }

    protected Task<MetricsAnswer> Ask(TimeSpan past, int points, params string[] metrics) =>
        Metrics.Query(Server, new MetricsQuery { Metrics = metrics, From = Time.GetUtcNow() - past, Points = points });
}
