using System.Text;
using Dapper;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Tests.Monitoring;
using ManagedServers.Workflows.Tests.Payload;

namespace ManagedServers.Workflows.Tests.RabbitMq;

[Collection(WithDatabase.Name)]
public sealed class StatisticsTests(Database database, SharedBroker shared) : IAsyncLifetime
{
    private BrokerHouse house = null!;
    private StandInMonitor monitor = null!;

    public async Task InitializeAsync()
    {
        house = await BrokerHouse.Of(database, shared);
        monitor = await house.Monitor("ns1");
    }

    public async Task DisposeAsync()
    {
        await monitor.DisposeAsync();
        await house.DisposeAsync();
    }

    [Fact]
    public async Task What_comes_again_by_the_same_way_or_another_is_counted_once_and_at_its_time_however_long_it_lay_in_the_queue()
    {
        await house.Connect();
        var now = StandInMonitor.Now;
        // The host's clock is three hours behind, and the message was sent two hours ago.
        var (theirs, sent) = (now.AddHours(-5), now.AddHours(-2));
        var waited = Reports.Dns(theirs, Reports.Sample(1, theirs, ("www.example.org.", "A", 7)));
        await monitor.Send(waited, sent);
        await monitor.Send(waited, sent);
        Assert.Equal(0, (await house.Get<Ingestion>().Accept(monitor.Server, Reports.Dns(now, Reports.Sample(2, now, ("www.example.org.", "A", 100))))).Duplicates);
        await monitor.Send(Reports.Dns(now, Reports.Sample(2, now, ("www.example.org.", "A", 100)), Reports.Sample(3, now, ("www.example.org.", "A", 1000))));

        await Until.True("all are counted", async () => await house.Hits(monitor.Server) == 1107);
        await using var connection = await house.Source.OpenConnectionAsync();
        Assert.Equal(7, await connection.QuerySingleAsync<long>("select sum(count)::bigint from monitoring.dns_hit where at between @sent::timestamptz - interval '2 minutes' and @sent", new { sent = sent.UtcDateTime }));
        Assert.Equal("{[1,4)}", await connection.QuerySingleAsync<string>("select seen::text from monitoring.source"));
    }

    [Fact]
    public async Task Everything_is_counted_once_by_two_nodes_while_RabbitMQ_restarts_and_the_database_is_away()
    {
        await house.AddNode("second");
        await house.Connect();
        await using var connection = await house.Source.OpenConnectionAsync();
        await using var other = await house.Monitor("ns2");
        var away = new TaskCompletionSource();
        var sending = Task.WhenAll(new[] { monitor, other }.Select(async sender =>
        {
            for (var seq = 1; seq <= 300; seq++)
            {
                if (seq == 200)
                {
                    await away.Task;
                }

                await sender.Send(Reports.Dns(StandInMonitor.Now, Reports.Sample(seq, StandInMonitor.Now, ($"n{seq % 10}.example.org.", "A", seq))));
            }
        }));

        await Until.True("some are counted", async () => await house.Hits(monitor.Server) > 0);
        await house.Broker.Restart();
        await house.Stands(RabbitMqState.Connected);
        await connection.ExecuteAsync("alter table monitoring.source rename to hidden");
        away.SetResult();
        await sending;
        await connection.ExecuteAsync("alter table monitoring.hidden rename to source");

        foreach (var sender in new[] { monitor, other })
        {
            await Until.True("all are counted", async () => await house.Hits(sender.Server) >= 45_150, 60);
            Assert.Equal(45_150, await house.Hits(sender.Server));
        }

        Assert.Equal(["{[1,301)}", "{[1,301)}"], await connection.QueryAsync<string>("select seen::text from monitoring.source"));
        Assert.Empty(await monitor.DeadLetters());
    }

    [Fact]
    public async Task What_nobody_may_say_goes_to_the_dead_letters_with_the_reason_and_holds_nothing_else_up()
    {
        await using var forger = await house.Monitor("ns2");
        await house.Connect();
        var right = Encoding.UTF8.GetBytes("""{"epoch":"00112233445566778899aabbccddeeff","samples":[]}""");
        (Func<Task> Send, string Reason)[] refused =
        [
            (() => forger.Send(right, claims: monitor.Server.ToString()), $"The signature is not that of server {monitor.Server}"),
            (() => forger.Send(right, claims: Guid.Empty.ToString()), "There is no server 00000000-0000-0000-0000-000000000000"),
            (() => forger.Send(right, claims: "x\0'); drop table"), "The headers server (an id)"),
            (() => forger.Send(right, silent: true), "The headers server (an id)"),
            (() => forger.Send(right, type: "heartbeats"), "The type must be 'dns'"),
            (() => forger.Send(right), "samples: 1 to 1000 samples"),
            (() => forger.Send("""{"epoch":NaN}"""u8.ToArray()), "The body is not a report"),
            (() => forger.Send(Encoding.UTF8.GetBytes(new string('[', 100_000))), "The body is not a report"),
            (() => forger.Send(new byte[10_000_000]), "The body has 10000000 bytes"),
            (() => forger.Send(Reports.Dns(StandInMonitor.Now, Reports.Sample(1, StandInMonitor.Now)), StandInMonitor.Now.AddDays(-30)), "samples[0].from: At most 8 days"),
        ];
        foreach (var (send, _) in refused)
        {
            await send();
        }

        await monitor.Send(Reports.Dns(StandInMonitor.Now, Reports.Sample(1, StandInMonitor.Now, ("www.example.org.", "A", 7))));

        await Until.True("the right one is counted", async () => await house.Hits(monitor.Server) == 7);
        List<(string Reason, int Size)> dead = [];
        await Until.True("all others are buried", async () =>
        {
            dead.AddRange(await monitor.DeadLetters());
            return dead.Count >= refused.Length;
        });
        Assert.All(refused, r => Assert.Contains(dead, d => d.Reason.StartsWith(r.Reason, StringComparison.Ordinal)));
        Assert.Equal(refused.Length, dead.Count);
        Assert.All(dead, d => Assert.InRange(d.Size, 0, 100_000));
        Assert.Equal(RabbitMqState.Connected, Assert.Single((await house.Settings.Show()).Nodes).State);
    }
}
