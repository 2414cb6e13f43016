using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class BackPressureTests(Database database) : MonitoringTest(database)
{
    protected override MonitoringOptions Options => new() { QueueLimit = 10 };

    [Fact]
    public async Task A_full_queue_says_when_to_come_back_and_what_waits_is_stored_later()
    {
        await using var connection = await Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("lock table monitoring.source in access exclusive mode", transaction: transaction);
        var waiting = Enumerable.Range(1, 10).Select(i => Ingestion.Accept(Server, Reports.Beat(i, Noon))).ToList();

        var busy = await Assert.ThrowsAsync<IngestionBusyException>(() => Ingestion.Accept(Server, Reports.Beat(11, Noon)));
        Assert.True(busy.RetryAfter > TimeSpan.Zero);
        Assert.All(waiting, w => Assert.False(w.IsCompleted));

        await transaction.RollbackAsync();
        Assert.Equal(10, (await Task.WhenAll(waiting)).Sum(a => a.Count));
        Assert.Equal((1, 0), (await Ingestion.Accept(Server, Reports.Beat(11, Noon))) is var a ? (a.Count, a.Duplicates) : default);
    }

    [Fact]
    public async Task A_database_that_is_gone_loses_nothing_that_was_accepted()
    {
        await using var connection = await Source.OpenConnectionAsync();
        await connection.ExecuteAsync("alter table monitoring.source rename to hidden");

        await Assert.ThrowsAsync<IngestionBusyException>(() => Ingestion.Accept(Server, Reports.Beat(1, Noon)));

        await connection.ExecuteAsync("alter table monitoring.hidden rename to source");
        Assert.Equal(1, (await Ingestion.Accept(Server, Reports.Beat(1, Noon))).Count);
    }

    [Fact]
    public async Task A_stopped_product_answers_at_once()
    {
        var ingestion = Ingestion;
        await Stop();
        await Assert.ThrowsAsync<IngestionBusyException>(() => ingestion.Accept(Server, Reports.Beat(1, Noon)).WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Days_that_are_kept_no_longer_are_dropped_whole()
    {
        await Set("monitoring", """{"heartbeatsKeptDays":9}""");
        await Ingestion.Accept(Server, Reports.Beats(Noon, (1, Noon.AddDays(-7)), (2, Noon)));
        Time.Advance(TimeSpan.FromDays(4));

        await Get<Retention>().CleanUp(CancellationToken.None);

        Assert.Equal(2, Assert.Single((await Heartbeats.Recent(Server)).Items).Seq);
        await using var connection = await Source.OpenConnectionAsync();
        var days = await connection.QueryAsync<string>("select relname from pg_class where relname like 'heartbeat\\_p%' and relkind = 'r' order by 1");
        Assert.Equal(["heartbeat_p20260301", "heartbeat_p20260302", "heartbeat_p20260306"], days);
    }
}
