using System.Text.RegularExpressions;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class HitsTests(Database database) : MonitoringTest(database)
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Set("monitoring-services", """{"namesPerServer":50}""");
    }

    [Fact]
    public async Task Hits_of_a_period_stand_beside_the_total_and_the_last_access()
    {
        await Sample(1, Noon.AddDays(-2), ("old.example.org.", "A", 5), ("www.example.org.", "A", 1));
        await Sample(2, Noon.AddMinutes(-5), ("www.example.org.", "A", 3), ("www.example.org.", "AAAA", 2));

        var page = await Hits.List(Server, new HitsQuery());

        Assert.Equal(
            [("www.example.org.", "A", 3, 4, Noon.AddMinutes(-5)), ("www.example.org.", "AAAA", 2, 2, Noon.AddMinutes(-5)), ("old.example.org.", "A", 0, 5, Noon.AddDays(-2))],
            page.Items.Select(h => (h.Name, h.Type, h.Count, h.Total, h.LastAccess)));
        Assert.Equal((Noon.AddDays(-1), Noon), (page.From, page.To));
        Assert.Equal(new HitsCoverage(5, 5, 0, 1, false, Noon.AddMinutes(-5)), page.Coverage);
        Assert.Equal(6, (await Hits.List(Server, new HitsQuery { From = Noon.AddDays(-3), To = Noon.AddDays(-1) })).Items.Sum(h => h.Count));
    }

    [Fact]
    public async Task The_coverage_says_how_many_queries_have_no_name()
    {
        await Ingestion.Accept(Server, Reports.Dns(Noon, Reports.Sample(1, Noon, ("a.example.org.", "A", 90)) with { Queries = 100 }));

        var coverage = (await Hits.List(Server, new HitsQuery { To = Noon.AddMinutes(1) })).Coverage;

        Assert.Equal((90, 100, 0.9, true), (coverage.Named, coverage.Queries, coverage.Share, coverage.Connected));
        Time.Advance(TimeSpan.FromMinutes(3));
        Assert.False((await Hits.List(Server, new HitsQuery())).Coverage.Connected);
    }

    [Fact]
    public async Task A_name_told_after_its_query_was_counted_makes_no_coverage_beyond_everything()
    {
        await Ingestion.Accept(Server, Reports.Dns(Noon, Reports.Sample(1, Noon.AddMinutes(-3), ("a.example.org.", "A", 7)) with { Queries = 10 }));
        await Ingestion.Accept(Server, Reports.Dns(Noon, Reports.Sample(2, Noon.AddMinutes(-1), ("a.example.org.", "A", 3)) with { Queries = 0 }));

        var late = (await Hits.List(Server, new HitsQuery { From = Noon.AddMinutes(-2) })).Coverage;
        var whole = (await Hits.List(Server, new HitsQuery())).Coverage;

        Assert.Equal((3, 3, 1.0), (late.Named, late.Queries, late.Share));
        Assert.Equal((10, 10, 1.0), (whole.Named, whole.Queries, whole.Share));
    }

    [Theory]
    [InlineData("name", "www.example.org", 2)]
    [InlineData("name", "WWW.example.org.", 2)]
    [InlineData("name", "w*", 3)]
    [InlineData("name", "%", 0)]
    [InlineData("name", "_tcp.example.org", 1)]
    [InlineData("name", @"a\032b.example.org", 1)]
    [InlineData("type", "aaaa", 1)]
    [InlineData("type", "TYPE28", 1)]
    [InlineData("type", "type65280", 0)]
    [InlineData("type", "A*", 4)]
    [InlineData("type", "*", 6)]
    [InlineData("zone", "example.org", 6)]
    [InlineData("zone", "org", 0)]
    public async Task Filters_mean_what_they_say(string field, string value, int found)
    {
        await Sample(1, Noon, ("www.example.org.", "A", 1), ("www.example.org.", "AAAA", 1), ("wiki.example.org.", "A", 1),
            ("_tcp.example.org.", "SRV", 1), ("xtcp.example.org.", "SRV", 1), (@"a\032b.example.org.", "A", 1));

        var page = await Hits.List(Server, field switch
        {
            "name" => new HitsQuery { Name = value },
            "type" => new HitsQuery { Type = value },
            _ => new HitsQuery { Zone = value },
        });

        Assert.Equal(found, page.Items.Count);
    }

    [Theory]
    [InlineData(HitSort.Count)]
    [InlineData(HitSort.Total)]
    [InlineData(HitSort.Last)]
    [InlineData(HitSort.Name)]
    public async Task Every_order_is_paged_without_a_name_twice_or_missing(HitSort sort)
    {
        await Sample(1, Noon, [.. Enumerable.Range(0, 40).Select(i => ($"n{i:00}.example.org.", "A", (long)(1 + i / 4)))]);

        var seen = new List<string>();
        string? after = null;
        do
        {
            var page = await Hits.List(Server, new HitsQuery { Sort = sort, Limit = 7, After = after, To = Noon.AddMinutes(1) });
            seen.AddRange(page.Items.Select(h => h.Name));
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(40, seen.Distinct().Count());
        Assert.Equal(40, seen.Count);
    }

    [Fact]
    public async Task A_flood_of_names_is_counted_together_and_eats_no_more_rows_than_allowed()
    {
        await Sample(1, Noon, ("known.example.org.", "A", 1));
        await Sample(2, Noon, [.. Enumerable.Range(0, 200).Select(i => ($"r{i}.example.org.", "A", 1L)), ("often.example.org.", "A", 9), ("known.example.org.", "A", 1)]);

        var page = await Hits.List(Server, new HitsQuery { Limit = 1000, To = Noon.AddMinutes(1) });

        Assert.Equal(50, page.Items.Count);
        Assert.Equal(9, page.Items.Single(h => h.Name == "often.example.org.").Count);
        Assert.Equal(2, page.Items.Single(h => h.Name == "known.example.org.").Count);
        Assert.Equal((211, 152), (page.Coverage.Named, page.Coverage.Other));
        Assert.Equal(page.Coverage.Named, page.Items.Sum(h => h.Count) + page.Coverage.Other);
    }

    [Theory]
    [InlineData("limit", 0, null, null, null)]
    [InlineData("after", 10, "x", null, null)]
    [InlineData("name", 10, null, "a\0b", null)]
    [InlineData("to", 10, null, null, "2020-01-01T00:00:00Z")]
    public async Task A_question_that_makes_no_sense_is_refused_by_its_field(string field, int limit, string? after, string? name, string? to)
    {
        var query = new HitsQuery { Limit = limit, After = after, Name = name, From = to is null ? null : Noon, To = to is null ? null : DateTimeOffset.Parse(to, null) };
        Assert.Contains(field, (await Assert.ThrowsAsync<InvalidInputException>(() => Hits.List(Server, query))).Errors.Keys);
    }

    [Theory]
    [InlineData("FOO")]
    [InlineData("FOO*")]
    [InlineData("A?")]
    [InlineData("TYPE")]
    [InlineData("TYPE65536")]
    [InlineData("TYPEA*")]
    public async Task A_type_that_no_record_has_is_refused_instead_of_answered_with_nobody_asked(string type)
    {
        var refused = await Assert.ThrowsAsync<InvalidInputException>(() => Hits.List(Server, new HitsQuery { Type = type }));
        Assert.Contains("AAAA, or any other one by its number as in TYPE65280", refused.Errors["type"].Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_types_have_the_names_that_the_monitor_gives_them()
    {
        var monitors = Regex.Matches(File.ReadAllText(Repository.Path("workflows", "Payload", "monitor", "tally.py")), @"(\d+): ""([A-Z0-9]+)""");
        Assert.Equal(monitors.ToDictionary(m => int.Parse(m.Groups[1].Value, null), m => m.Groups[2].Value), RecordTypes.Names);
    }

    private Task<Accepted> Sample(long seq, DateTimeOffset to, params (string Name, string Type, long Count)[] names) =>
        Ingestion.Accept(Server, Reports.Dns(Noon, Reports.Sample(seq, to, names)));
}
