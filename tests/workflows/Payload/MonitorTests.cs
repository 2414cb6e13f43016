using System.Text;
using Dapper;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Tests.Monitoring;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>From a question on the wire to the table of hits: Knot, the monitor, HTTPS, the writer, PostgreSQL.</summary>
public sealed class MonitorTests(Database database, ProductImages images) : MonitoringTest(database), IClassFixture<ProductImages>
{
    private readonly TestProduct product = new();
    private readonly KnotPair pair = new();
    private readonly Dictionary<(string Name, string Type), long> asked = [];

    public override async Task InitializeAsync()
    {
        Assert.NotNull(images);
        await base.InitializeAsync();
        product.TakeDns = report =>
        {
            // Where time stands still, a later sample that was slower on its way would look like an earlier one.
            Time.Advance(TimeSpan.FromSeconds(1));
            return Ingestion.Accept(Server, report);
        };
        await product.Start();
        await pair.Prepare("example.org", "sub.example.org");
    }

    public override async Task DisposeAsync()
    {
        await pair.DisposeAsync();
        await product.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Two_thousand_queries_are_counted_name_by_name()
    {
        await Both();
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var name = $"n{random.Next(150)}.example.org";
            await Ask(name, i % 2 == 0 ? ("A", 1) : ("AAAA", 28));
        }

        var page = await Counted(2000);
        Assert.Equal((2000, 2000, 1.0, true), (page.Coverage.Named, page.Coverage.Queries, page.Coverage.Share, page.Coverage.Connected));
    }

    [Fact]
    public async Task Queries_asked_while_Knot_is_just_starting_are_counted_too()
    {
        await pair.StartMonitor(product, 1, "example.org", "sub.example.org");
        await Until.True("a monitor that listens", () => Task.FromResult(pair.Listens));
        await pair.StartKnot();
        await AskSome("first");

        var page = await Counted(50);
        Assert.Equal((50, 50), (page.Coverage.Named, page.Coverage.Queries));
    }

    [Theory]
    [InlineData("kill")]
    [InlineData("stop")]
    public async Task A_monitor_that_was_ended_is_told_names_again_before_anybody_has_asked(string end)
    {
        await Both();
        await AskSome("a");
        await Counted(50);

        await pair.StartMonitorAgain(end);
        await Connected();
        await AskSome("b");

        var page = await Counted(100);
        Assert.Equal((100, 100), (page.Coverage.Named, page.Coverage.Queries));
        Assert.Equal([("NOERROR", 100L)], await Counts("dns.responses"));
        Assert.Equal([("udp4", 100L)], await Counts("dns.transports"));
        Assert.Equal(100, (await Counts("dns.types")).Sum(t => t.Count));
    }

    [Fact]
    public async Task What_was_asked_just_before_a_monitors_end_is_delivered_though_it_never_comes_back()
    {
        await pair.StartKnot();
        await pair.StartMonitor(product, 10, "example.org");
        await Connected();
        await AskSome("last");

        await pair.StopMonitor();

        var page = await Counted(50);
        Assert.Equal((50, 50), (page.Coverage.Named, page.Coverage.Queries));
    }

    [Fact]
    public async Task Names_of_every_byte_case_and_zone_are_told_apart()
    {
        await Both();
        for (var first = 0; first < 256; first += 32)
        {
            var label = Enumerable.Range(first, 32).Select(b => (byte)b).ToArray();
            await pair.Ask(KnotPair.Wire(label, "example"u8.ToArray(), "org"u8.ToArray()), 16);
            Note(Escaped(label) + ".example.org.", "TXT");
        }

        await pair.Ask(KnotPair.Wire("WwW.ExAmPlE.oRg"), 1);
        await pair.Ask(KnotPair.Wire("www.example.org"), 1);
        Note("www.example.org.", "A", 2);
        await Ask("a.sub.example.org", ("TYPE65280", 65280));
        await Ask("example.org", ("SOA", 6));
        await pair.Ask(KnotPair.Wire("www.elsewhere.example"), 1);

        var page = await Counted(12);
        Assert.Equal((1, 13), (page.Coverage.Other, page.Coverage.Queries));
        Assert.Equal("sub.example.org.", page.Items.Single(h => h.Name == "a.sub.example.org.").Zone);
        Assert.Equal("example.org.", page.Items.Single(h => h.Name == "www.example.org.").Zone);
    }

    [Fact]
    public async Task Restarts_of_knot_the_monitor_and_the_product_lose_and_double_nothing_that_was_heard()
    {
        await Both();
        await AskSome("a");
        await Counted(50);

        await pair.KillKnot();
        await Connected(times: 2);
        await AskSome("b");
        await Counted(100);

        await product.Stop();
        await Heard(50);
        await pair.StartMonitorAgain("stop");
        await Connected();
        await AskSome("d");
        await product.Start();
        await Counted(200);

        await pair.StartMonitorAgain("kill");
        await Connected();
        await AskSome("e");
        var page = await Counted(250);
        Assert.InRange(page.Coverage.Named, 250, page.Coverage.Queries);
    }

    private async Task Both()
    {
        // Knot first: it must serve with nobody listening to its tap.
        await pair.StartKnot();
        await pair.StartMonitor(product, 1, "example.org", "sub.example.org");
        await Connected();
    }

    /// <param name="times">Connections since the monitor's start: what it says may be older than Knot's restart.</param>
    private Task Connected(int times = 1) =>
        Until.True("a collector that hears Knot", async () => await pair.Check() is { Connected: true } now && now.Connections == times, 60);

    private async Task<IEnumerable<(string Key, long Count)>> Counts(string what)
    {
        await using var connection = await Source.OpenConnectionAsync();
        return await connection.QueryAsync<(string, long)>("select key, sum(count)::bigint from monitoring.count_minute where what = @what group by key order by key", new { what });
    }

    private async Task Heard(int more)
    {
        var before = (await pair.Check()).Heard;
        await AskSome("c");
        await Until.True($"{more} queries heard", async () => (await pair.Check()).Heard >= before + more);
    }

    private async Task AskSome(string prefix)
    {
        for (var i = 0; i < 50; i++)
        {
            await Ask($"{prefix}{i % 10}.example.org", ("A", 1));
        }
    }

    private async Task Ask(string name, (string Name, int Number) type)
    {
        await pair.Ask(KnotPair.Wire(name), type.Number);
        Note(name + ".", type.Name);
    }

    private void Note(string name, string type, long count = 1) => asked[(name, type)] = asked.GetValueOrDefault((name, type)) + count;

    /// <summary>Waits until so many are there, and compares name by name.</summary>
    private async Task<HitsPage> Counted(long queries)
    {
        HitsPage? page = null;
        await Until.True($"{queries} queries in the table", async () =>
        {
            page = await Hits.List(Server, new HitsQuery { Limit = 1000, To = Noon.AddMinutes(30), From = Noon.AddHours(-1) });
            return page.Coverage.Named - page.Coverage.Other >= queries && page.Coverage.Queries >= queries;
        });
        Assert.Equal(asked.OrderBy(a => a.Key), page!.Items.ToDictionary(h => (h.Name, h.Type), h => h.Count).OrderBy(a => a.Key));
        Assert.All(page.Items, h => Assert.Equal(h.Count, h.Total));
        return page;
    }

    private static string Escaped(byte[] label)
    {
        var text = new StringBuilder();
        foreach (var b in label)
        {
            var lower = b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b + 32) : b;
            _ = lower is < 33 or > 126 ? text.Append('\\').Append($"{lower:000}")
                : ".\\;()@$\"".Contains((char)lower, StringComparison.Ordinal) ? text.Append('\\').Append((char)lower)
                : text.Append((char)lower);
        }

        return text.ToString();
    }
}
