using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class IngestionTests(Database database) : MonitoringTest(database)
{
    [Fact]
    public async Task A_report_of_the_contract_is_stored_with_everything_it_says()
    {
        var report = Reports.Parse<HeartbeatReport>("""
            {"epoch":"00112233445566778899aabbccddeeff","beats":[{"seq":1,"sentAt":"2026-03-01T11:59:58Z","agentVersion":"1","uptimeSeconds":123,"load":[0.1,0.2,0.3],
             "cpu":{"user":0.1234,"nice":0,"system":0.2,"idle":0.5,"iowait":0.1,"irq":0.0566,"softirq":0.01,"steal":0.01},
             "memory":{"totalBytes":100,"availableBytes":40,"freeBytes":30,"buffersBytes":5,"cachedBytes":6,"committedBytes":200},"swap":{"totalBytes":10,"usedBytes":1},"disks":[{"mount":"/","totalBytes":9,"usedBytes":8,"inodesTotal":7,"inodesUsed":6}],
             "connections":{"tcpEstablished":5,"udp":3,"tcp":{"established":4,"synSent":1,"synReceived":2,"finWait1":3,"finWait2":4,"timeWait":5,"close":6,"closeWait":7,"lastAck":8,"listen":9,"closing":10}},
             "processes":77,"network":[{"interface":"eth0","receivedBytes":11,"sentBytes":12}],"docker":{"state":"running","version":"20.10.24"},
             "components":[{"name":"dns","version":"3.2.6","state":"running","image":"managed-servers/knot:3.2.6-x"}]}]}
            """);

        Assert.Equal((1, 0, Noon), await Ingestion.Accept(Server, report) is var a ? (a.Count, a.Duplicates, a.Now) : default);

        var beat = Assert.Single((await Heartbeats.Recent(Server)).Items);
        Assert.Equal((1, Noon.AddSeconds(-2), Noon, false), (beat.Seq, beat.SentAt, beat.ReceivedAt, beat.Late));
        Assert.Equal([0.1, 0.2, 0.3], beat.Load);
        Assert.Equal(new CpuUse(0.1234, 0, 0.2, 0.5, 0.1, 0.0566, 0.01, 0.01), beat.Cpu);
        Assert.Equal(new MemoryUse(100, 40, 30, 5, 6, 200), beat.Memory);
        Assert.Equal(new SwapUse(10, 1), beat.Swap);
        Assert.Equal(new DiskUse("/", 9, 8, 7, 6), Assert.Single(beat.Disks!));
        Assert.Equal(new ConnectionCount(5, 3, new TcpStates(4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)), beat.Connections);
        Assert.Equal((77, new NetworkUse("eth0", 11, 12)), (beat.Processes, Assert.Single(beat.Network!)));
        Assert.Equal(new DockerReport("running", "20.10.24"), beat.Docker);
        Assert.Equal(new ComponentReport("dns", "3.2.6", "running", "managed-servers/knot:3.2.6-x"), Assert.Single(beat.Components!));
    }

    [Fact]
    public async Task What_is_sent_twice_is_counted_once()
    {
        var beats = Reports.Beats(Noon, (1, Noon.AddSeconds(-60)), (2, Noon.AddSeconds(-30)), (3, Noon));
        var samples = Reports.Dns(Noon, Reports.Sample(1, Noon, ("www.example.org.", "A", 7)));
        await Ingestion.Accept(Server, beats);
        await Ingestion.Accept(Server, samples);

        Assert.Equal((1, 3), Counts(await Ingestion.Accept(Server, beats with { Beats = [.. beats.Beats!, .. Reports.Beat(4, Noon).Beats!] })));
        Assert.Equal((0, 1), Counts(await Ingestion.Accept(Server, samples)));

        Assert.Equal(4, (await Heartbeats.Recent(Server)).Items.Count);
        Assert.Equal(7, Assert.Single((await Hits.List(Server, new HitsQuery())).Items).Total);
    }

    [Fact]
    public async Task A_number_counts_for_its_server_its_kind_and_its_spool_only()
    {
        await Ingestion.Accept(Server, Reports.Beat(1, Noon));

        Assert.Equal((1, 0), Counts(await Ingestion.Accept(Guid.CreateVersion7(), Reports.Beat(1, Noon))));
        Assert.Equal((1, 0), Counts(await Ingestion.Accept(Server, Reports.Beat(1, Noon) with { Epoch = new string('a', 32) })));
        Assert.Equal((1, 0), Counts(await Ingestion.Accept(Server, Reports.Dns(Noon, Reports.Sample(1, Noon)))));
    }

    [Fact]
    public async Task A_gap_is_remembered_and_may_still_be_filled()
    {
        await Ingestion.Accept(Server, Reports.Beats(Noon, (1, Noon), (2, Noon), (5, Noon)));
        await using var connection = await Source.OpenConnectionAsync();
        Assert.Equal("{[1,3),[5,6)}", await connection.QuerySingleAsync<string>("select seen::text from monitoring.source"));

        Assert.Equal((1, 1), Counts(await Ingestion.Accept(Server, Reports.Beats(Noon, (4, Noon), (5, Noon)))));
        Assert.Equal((1, 0), Counts(await Ingestion.Accept(Server, Reports.Beats(Noon, (3, Noon)))));
        Assert.Equal("{[1,6)}", await connection.QuerySingleAsync<string>("select seen::text from monitoring.source"));
    }

    [Fact]
    public async Task A_clock_that_is_wrong_by_years_puts_nothing_into_the_wrong_place()
    {
        var theirs = new DateTimeOffset(1999, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await Ingestion.Accept(Server, Reports.Beats(theirs, (1, theirs.AddHours(-3)), (2, theirs)));

        var items = (await Heartbeats.Recent(Server)).Items;
        Assert.Equal([(2, Noon, false), (1, Noon.AddHours(-3), true)], items.Select(b => (b.Seq, b.SentAt, b.Late)));
    }

    [Fact]
    public async Task Late_data_lands_on_the_day_it_was_made()
    {
        await Ingestion.Accept(Server, Reports.Beats(Noon, (1, Noon.AddDays(-3)), (2, Noon)));

        await using var connection = await Source.OpenConnectionAsync();
        var days = await connection.QueryAsync<string>("select c.relname from monitoring.heartbeat h join pg_class c on c.oid = h.tableoid order by h.at");
        Assert.Equal(["heartbeat_p20260226", "heartbeat_p20260301"], days);
    }

    [Fact]
    public async Task Many_senders_at_once_are_all_answered_and_all_stored()
    {
        var servers = Enumerable.Range(0, 200).Select(_ => Guid.CreateVersion7()).ToList();

        var answers = await Task.WhenAll(servers.SelectMany(s => new[]
        {
            Ingestion.Accept(s, Reports.Beats(Noon, (1, Noon), (2, Noon))),
            Ingestion.Accept(s, Reports.Beats(Noon, (2, Noon), (3, Noon))),
            Ingestion.Accept(s, Reports.Dns(Noon, Reports.Sample(1, Noon, ("a.example.org.", "A", 1)))),
        }));

        Assert.Equal(200 * 4, answers.Sum(a => a.Count));
        Assert.Equal(200, answers.Sum(a => a.Duplicates));
        await using var connection = await Source.OpenConnectionAsync();
        Assert.Equal(600, await connection.QuerySingleAsync<long>("select count(*) from monitoring.heartbeat"));
    }

    [Fact]
    public async Task A_removed_server_leaves_nothing_behind_and_others_keep_theirs()
    {
        var other = Guid.CreateVersion7();
        foreach (var server in new[] { Server, other })
        {
            await Ingestion.Accept(server, Reports.Beat(1, Noon));
            await Ingestion.Accept(server, Reports.Dns(Noon, Reports.Sample(1, Noon, ("a.example.org.", "A", 1)) with { Dhcp = new DhcpUse { Subnets = [new SubnetUse("192.0.2.0/24", 9, 1, 0)] } }));
        }

        await using var connection = await Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Get<MonitoringData>().Forget(Server, transaction);
        await transaction.CommitAsync();

        foreach (var table in new[] { "source", "heartbeat", "dns_name", "dns_hit", "dns_minute", "count_minute", "dhcp_subnet", "dns_state" })
        {
            var left = await connection.QueryAsync<Guid>($"select distinct server_id from monitoring.{table}");
            Assert.Equal([other], left);
        }
    }

    private static (int, int) Counts(Accepted accepted) => (accepted.Count, accepted.Duplicates);
}
