using Dapper;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

/// <summary>Spools: one that follows on another, and two that live at once.</summary>
public sealed class SourceTests(Database database) : MonitoringTest(database)
{
    private readonly string first = new('a', 32), second = new('b', 32);

    [Fact]
    public async Task Two_agents_of_one_server_are_noticed_as_long_as_both_are_heard()
    {
        await Beat(first, 1);
        await Beat(second, 1);
        Assert.Null(await ContestedAt());

        await Beat(first, 2);
        Assert.Equal(Time.GetUtcNow(), await ContestedAt());
        Time.Advance(TimeSpan.FromSeconds(30));
        await Beat(second, 2);
        Assert.Equal(Time.GetUtcNow(), await ContestedAt());

        var last = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromSeconds(30));
        await Beat(second, 3);
        await Beat(second, 4);
        Assert.Equal(last, await ContestedAt());
        Assert.Equal(6, (await Heartbeats.Summary([Server]))[0].Total);
    }

    [Fact]
    public async Task Two_agents_that_are_heard_for_the_first_time_at_once_are_noticed_too()
    {
        await using (var connection = await Source.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // All of it becomes one batch.
            await connection.ExecuteAsync("lock table monitoring.source in access exclusive mode", transaction: transaction);
            var before = Ingestion.Accept(Guid.CreateVersion7(), Reports.Beat(1, Noon));
            var all = new[] { Beat(first, 1), Beat(second, 1), Beat(first, 2), Beat(second, 2) };
            await transaction.RollbackAsync();
            await Task.WhenAll([before, .. all]);
        }

        await Beat(first, 3);
        await Beat(second, 3);
        Assert.NotNull(await ContestedAt());
        Assert.Equal(6, (await Heartbeats.Summary([Server]))[0].Total);
    }

    [Fact]
    public async Task An_agent_that_is_installed_anew_is_no_second_one_and_neither_is_a_copy_of_what_the_first_has_sent()
    {
        await Beat(first, 1);
        await Beat(second, 1);
        await Ingestion.Accept(Server, Reports.Dns(Noon, Reports.Sample(1, Noon)) with { Epoch = first });
        await Beat(second, 2);
        Assert.Equal((0, 1), await Beat(first, 1) is var replayed ? (replayed.Count, replayed.Duplicates) : default);
        await Beat(second, 3);

        Assert.Null(await ContestedAt());
        await using var connection = await Source.OpenConnectionAsync();
        Assert.Equal(1, await connection.QuerySingleAsync<long>("select duplicates from monitoring.source where epoch = decode(@first, 'hex') and kind = 'agent'", new { first }));
    }

    private Task<Accepted> Beat(string epoch, long seq) => Ingestion.Accept(Server, Reports.Beat(seq, Time.GetUtcNow()) with { Epoch = epoch });

    private async Task<DateTimeOffset?> ContestedAt() => (await Heartbeats.Summary([Server]))[0].ContestedAt;
}
