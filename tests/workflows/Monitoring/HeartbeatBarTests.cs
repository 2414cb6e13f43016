using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class HeartbeatBarTests(Database database) : MonitoringTest(database)
{
    private long seq;

    [Fact]
    public async Task A_server_that_never_beat_shows_none() => Assert.Equal((0, 0, HeartbeatStatus.None), await Bar());

    [Fact]
    public async Task A_young_server_is_starting_and_fewer_beats_are_due()
    {
        await Beat();
        Assert.Equal((1, 1, HeartbeatStatus.Starting), await Bar());

        await Beats(2);
        Assert.Equal((3, 3, HeartbeatStatus.Starting), await Bar());
    }

    [Fact]
    public async Task Four_beats_are_healthy_and_each_one_missed_shows_after_the_grace()
    {
        await Beat();
        await Beats(5);
        Assert.Equal((4, 4, HeartbeatStatus.Healthy), await Bar());

        Time.Advance(TimeSpan.FromSeconds(39));
        Assert.Equal((4, 4, HeartbeatStatus.Healthy), await Bar());
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((4, 3, HeartbeatStatus.Degraded), await Bar());
        Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal((4, 1, HeartbeatStatus.Degraded), await Bar());
        Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((4, 0, HeartbeatStatus.Silent), await Bar());
    }

    [Fact]
    public async Task Beats_out_of_the_spool_are_history_and_never_the_bar()
    {
        await Beat();
        Time.Advance(TimeSpan.FromMinutes(10));
        var now = Time.GetUtcNow();
        await Ingestion.Accept(Server, Reports.Beats(now, (2, now.AddSeconds(-90)), (3, now.AddSeconds(-60)), (4, now.AddSeconds(-30)), (5, now)));

        Assert.Equal((4, 1, HeartbeatStatus.Degraded), await Bar());
        Assert.Equal([false, true, true, true, false], (await Heartbeats.Recent(Server)).Items.Select(b => b.Late));
        Assert.Equal(5, (await Heartbeats.Summary([Server]))[0].Total);
    }

    [Fact]
    public async Task Beats_that_wait_to_be_fetched_are_not_late_and_a_server_is_missed_that_much_later()
    {
        await using (var connection = await Source.OpenConnectionAsync())
        {
            await connection.ExecuteAsync(
                """
                insert into servers.server (id, name, authentication, address, ssh_port, ssh_user, credential, report_token, host_key_algorithm, host_key_fingerprint, created_by)
                values (@Server, 'ns1', 'key', 'ns1.example', 22, 'root', '', '', '', '', 'admin');
                insert into monitoring.pull (server_id, due_at) values (@Server, now())
                """, new { Server });
        }

        for (var sweep = 1; sweep <= 6; sweep++)
        {
            Time.Advance(TimeSpan.FromSeconds(30));
            var now = Time.GetUtcNow();
            await Ingestion.Accept(Server, Reports.Beats(now, (sweep, now.AddSeconds(-29))), TimeSpan.FromSeconds(30));
        }

        Assert.All((await Heartbeats.Recent(Server)).Items, beat => Assert.False(beat.Late));
        Time.Advance(TimeSpan.FromSeconds(69));
        Assert.Equal((4, 4, HeartbeatStatus.Healthy), await Bar());
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((4, 3, HeartbeatStatus.Degraded), await Bar());
        Time.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal((4, 0, HeartbeatStatus.Silent), await Bar());
    }

    [Fact]
    public async Task Summaries_come_in_the_order_asked_for_with_the_components_of_the_last_beat()
    {
        var silent = Guid.CreateVersion7();
        var report = Reports.Beat(1, Noon);
        await Ingestion.Accept(Server, report with
        {
            Beats = [report.Beats![0]! with { Docker = new DockerReport("running", "20"), Components = [new ComponentReport("dns", "3.2.6", "running", "i")] }],
        });

        var summaries = await Heartbeats.Summary([silent, Server, silent]);

        Assert.Equal([silent, Server, silent], summaries.Select(s => s.ServerId));
        Assert.Equal("3.2.6", Assert.Single(summaries[1].Components).Version);
        Assert.Equal(Noon, summaries[1].LastAt);
    }

    [Fact]
    public async Task History_is_paged_from_the_newest_and_nothing_is_shown_twice()
    {
        await Ingestion.Accept(Server, Reports.Beats(Noon, [.. Enumerable.Range(1, 25).Select(i => ((long)i, Noon.AddSeconds(i / 2 - 60)))]));

        var seen = new List<long>();
        string? before = null;
        do
        {
            var page = await Heartbeats.Recent(Server, 10, before);
            seen.AddRange(page.Items.Select(b => b.Seq));
            before = page.Next;
        }
        while (before is not null);

        Assert.Equal(Enumerable.Range(1, 25).Reverse().Select(i => (long)i), seen);
        await Assert.ThrowsAsync<InvalidInputException>(() => Heartbeats.Recent(Server, 10, "nonsense"));
        await Assert.ThrowsAsync<InvalidInputException>(() => Heartbeats.Recent(Server, 0));
    }

    private async Task Beats(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(30));
            await Beat();
        }
    }

    private Task<Accepted> Beat() => Ingestion.Accept(Server, Reports.Beat(++seq, Time.GetUtcNow()));

    private async Task<(int Due, int Received, HeartbeatStatus Status)> Bar() =>
        (await Heartbeats.Summary([Server]))[0] is var s ? (s.Due, s.Received, s.Status) : default;
}
