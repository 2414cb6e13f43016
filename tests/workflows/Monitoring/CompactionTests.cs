using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class CompactionTests(Database database) : StorageTest(database)
{
    [Fact]
    public async Task Nobody_notices_that_hours_were_packed()
    {
        await BeatForHours(6);
        var before = await Seen();

        await Pack();

        Assert.Equal(5, await Count("monitoring.heartbeat_hour"));
        Assert.InRange(await Count("monitoring.heartbeat"), 1, 240);
        Assert.Equal(before, await Seen());

        // A silent server's last beat is packed too.
        Time.Advance(TimeSpan.FromHours(3));
        await Pack();
        Assert.Equal(0, await Count("monitoring.heartbeat"));
        var silent = (await Heartbeats.Summary([Server]))[0];
        Assert.Equal((Noon.AddSeconds(-5), HeartbeatStatus.Silent, 720, "running"), (silent.LastAt, silent.Status, silent.Total, silent.Docker?.State));
        Assert.Equal("dns", Assert.Single(silent.Components).Name);
    }

    [Fact]
    public async Task Late_beats_land_in_their_hour_once_also_when_it_was_packed()
    {
        await Beat(1, 100, Noon.AddHours(-4).AddMinutes(30));
        await Beat(1001, 10);
        await Pack();

        Assert.Equal((40, 10), Counts(await Beat(91, 50, Noon.AddHours(-4).AddMinutes(55))));
        var before = await Seen();
        Assert.Equal(150, (await AllBeats()).Count);
        await Pack();

        Assert.Equal(before, await Seen());
        Assert.Equal((0, 50), Counts(await Beat(91, 50, Noon.AddHours(-4).AddMinutes(55))));
        await Pack();
        Assert.Equal(before, await Seen());
        Assert.Equal([.. Enumerable.Range(1001, 10).Concat(Enumerable.Range(1, 140)).Select(i => (long)i).Order()], (await AllBeats()).Select(b => b.Seq).Order());
    }

    [Fact]
    public async Task Killed_in_the_middle_it_goes_on_where_it_was()
    {
        // The partitions are there: else it would wait for those.
        await Beat(1, 1, Noon.AddHours(-3), Guid.CreateVersion7());
        await Pack();
        var others = Enumerable.Range(0, 60).Select(_ => Guid.CreateVersion7()).ToList();
        await Task.WhenAll(others.Select(server => Beat(1, 20, Noon.AddHours(-3), server)));
        await BeatForHours(4);
        var before = await Seen();

        await using var connection = await Source.OpenConnectionAsync();
        await using (var lockout = await connection.BeginTransactionAsync())
        {
            await connection.ExecuteAsync("lock table monitoring.metrics_day in access exclusive mode", transaction: lockout);
            var packing = Get<Compaction>().Compact(CancellationToken.None);
            // It has taken rows and written hours when it waits for the last table.
            await using var killer = await Source.OpenConnectionAsync();
            while (!packing.IsCompleted)
            {
                await killer.ExecuteAsync("""
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where wait_event_type = 'Lock' and query like '%join monitoring.metrics_day%' and datname = current_database()
                    """);
            }

            await Assert.ThrowsAnyAsync<NpgsqlException>(() => packing);
            Assert.Equal(1, await Count("monitoring.heartbeat_hour"));
            Assert.Equal(60 * 20 + 480, await Count("monitoring.heartbeat"));
        }

        NpgsqlConnection.ClearAllPools();
        await Pack();
        Assert.Equal(before, await Seen());
        foreach (var server in others)
        {
            Assert.Equal(20, (await AllBeats(server)).Count);
        }
    }

    [Fact]
    public async Task Two_nodes_at_once_pack_every_beat_once()
    {
        var servers = Enumerable.Range(0, 120).Select(_ => Guid.CreateVersion7()).ToList();
        await Task.WhenAll(servers.Select(server => Beat(1, 130, Noon.AddHours(-2), server)));
        await BeatForHours(5);
        var before = await Seen();

        var other = new Compaction(Source, new DayPartitions(Source), Options, Time, NullLogger<Compaction>.Instance);
        var packed = await Task.WhenAll(new[] { Get<Compaction>(), other, other }.Select(node => Task.Run(() => node.Compact(CancellationToken.None))));
        await Pack();

        Assert.InRange(packed.Sum(), 1, 120 * 130 + 480);
        Assert.Equal(120 * 130 + 480, await Sum("beats"));
        Assert.Equal(before, await Seen());
    }

    [Fact]
    public async Task A_server_that_is_removed_while_hours_are_packed_leaves_nothing_behind()
    {
        await BeatForHours(4, Guid.CreateVersion7());
        await Pack();
        await BeatForHours(4);
        await using var connection = await Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Get<MonitoringData>().Forget(Server, transaction);
        Assert.Equal(0, await Get<Compaction>().Compact(CancellationToken.None));
        await transaction.CommitAsync();

        await Get<Compaction>().Compact(CancellationToken.None);
        foreach (var table in new[] { "heartbeat", "heartbeat_hour", "metrics_minute", "metrics_hour", "metrics_day" })
        {
            Assert.Equal(0, await Count($"monitoring.{table} where server_id = @Server", new { Server }));
        }
    }

    [Fact]
    public async Task A_flood_for_one_hour_is_kept_to_a_bound()
    {
        var start = Noon.AddHours(-3);
        for (var report = 0; report < 8; report++)
        {
            await Ingestion.Accept(Server, Reports.Beats(Noon, [.. Enumerable.Range(report * 1000, 1000).Select(i => (1L + i, start.AddMilliseconds(400 * i)))]));
        }

        await Pack();
        Assert.Equal(Compaction.MostBeats, await Sum("beats"));
        Assert.Equal(Compaction.MostBeats, (await AllBeats())[0].Seq);
    }

    [Fact]
    public async Task The_room_of_a_packed_day_is_given_back_and_a_late_beat_still_has_its_place()
    {
        await Beat(1, 500, Noon.AddDays(-2));
        await Beat(501, 1, Noon.AddDays(-1));
        await Pack();
        await Beat(601, 1, Noon.AddDays(-1));
        Assert.True(await Size("20260227") > 100_000);

        await Get<Retention>().CleanUp(CancellationToken.None);

        Assert.InRange(await Size("20260227"), 0, 16_384);
        Assert.Equal(502, (await AllBeats()).Count);
        await Beat(602, 1, Noon.AddDays(-2));
        Assert.Equal(503, (await AllBeats()).Count);
    }

    [Fact]
    public async Task An_hour_that_cannot_be_read_stops_no_other()
    {
        var other = Guid.CreateVersion7();
        await Beat(1, 2, Noon.AddHours(-3));
        await Pack();
        await using var connection = await Source.OpenConnectionAsync();
        await connection.ExecuteAsync("update monitoring.heartbeat_hour set data = '\\x09000000010203'");
        await Beat(10, 1, Noon.AddHours(-3));
        await Beat(1, 2, Noon.AddHours(-3), other);

        await Get<Compaction>().Compact(CancellationToken.None);

        Assert.Equal(2, (await AllBeats(other)).Count);
        Assert.Equal(1, await Count("monitoring.heartbeat"));
    }

    /// <summary>Everything that the questions tell, as one text.</summary>
    private async Task<string> Seen() => JsonSerializer.Serialize(new
    {
        Beats = await AllBeats(),
        Summary = await Heartbeats.Summary([Server]),
        ByBeat = await Ask(TimeSpan.FromHours(7), 10_000, "load.1", "cpu.user", "disk.used", "network.received"),
        ByMinute = await Ask(TimeSpan.FromHours(7), 100),
        ByHour = await Ask(TimeSpan.FromHours(30), 30),
        ByDay = await Ask(TimeSpan.FromDays(30), 30),
    }, EngineJson.Options);

    private async Task<long> Size(string day)
    {
        await using var connection = await Source.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>($"select pg_total_relation_size('monitoring.heartbeat_p{day}')");
    }

    private async Task<long> Sum(string column)
    {
        await using var connection = await Source.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>($"select sum({column}) from monitoring.heartbeat_hour");
    }

    private static (int, int) Counts(Accepted accepted) => (accepted.Count, accepted.Duplicates);
}
