using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Tests.Monitoring;

/// <summary>What monitors count beside names: answers, types, transports, packets, addresses.</summary>
public sealed class CountTests(Database database) : MonitoringTest(database)
{
    private long seq;

    [Fact]
    public async Task Counts_are_series_whose_increases_add_up_to_what_was_sent()
    {
        foreach (var minutesAgo in new[] { 5, 4, 2 })
        {
            await Send(minutesAgo, Reports.Sample(0, Noon, ("a.example.org.", "A", 60)) with
            {
                Responses = minutesAgo == 4 ? new Dictionary<string, long> { ["NOERROR"] = 50, ["NXDOMAIN"] = 10 } : new Dictionary<string, long> { ["NOERROR"] = 60 },
                Types = new Dictionary<string, long> { ["A"] = 60 }, Transports = new Dictionary<string, long> { ["udp4"] = 45, ["tcp6"] = 15 },
            });
        }

        var answer = await Ask(6, 6, "dns.queries", "dns.responses", "dns.transports{tcp6}");

        Assert.Equal(["dns.queries", "dns.responses{NOERROR}", "dns.responses{NXDOMAIN}", "dns.transports{tcp6}"], answer.Series.Select(s => s.Name));
        Assert.Equal([180, 170, 10, 45], answer.Series.Select(s => s.Points.Sum(p => p.Increase)));
        // Where others were counted it is nought, where nobody was it is not known.
        Assert.Equal([0, 10, null, 0, null, null], answer.Series[2].Points.Take(6).Select(p => p.Increase));
        Assert.Equal(1.0, answer.Series[0].Points[1].Value);
        Assert.Equal([180], (await Ask(60, 1, "dns.queries")).Series.Select(s => s.Points.Sum(p => p.Increase)));
        Assert.Equal(["dns.types{A}"], (await Ask(60, 1, "dns.types")).Series.Select(s => s.Name));
    }

    [Fact]
    public async Task A_sample_sent_twice_counts_once()
    {
        var sample = Reports.Sample(1, Noon.AddMinutes(-1)) with { Connected = null, Dhcp = Use(("discover-received", 7), ("192.0.2.0/24", 10, 4)) };
        await Ingestion.Accept(Server, Reports.Dns(Noon, sample));
        await Ingestion.Accept(Server, Reports.Dns(Noon, sample));

        var answer = await Ask(10, 1, "dhcp.packets", "dhcp.addresses.assigned");

        Assert.Equal([7], answer.Series.Where(s => s.Metric == "dhcp.packets").Select(s => s.Points.Sum(p => p.Increase)));
        Assert.Equal([4.0], answer.Series.Where(s => s.Label == "192.0.2.0/24").Select(s => s.Points.Single(p => p.Count > 0).Value));
    }

    [Fact]
    public async Task A_server_without_DNS_is_not_one_whose_collector_is_lost()
    {
        await Send(1, Reports.Sample(0, Noon) with { Connected = null, Dhcp = Use(("received", 1)) });

        Assert.Null((await Hits.List(Server, new HitsQuery())).Coverage.LastSampleAt);
        Assert.Empty((await Ask(10, 10, "dns.queries")).Series);
    }

    [Fact]
    public async Task Subnets_are_told_with_the_day_on_which_they_are_full()
    {
        // Ten more addresses a day, in the one; fewer and fewer in the other.
        for (var hour = 0; hour <= 6 * 24; hour += 6)
        {
            await Send(6 * 24 * 60 - hour * 60, Reports.Sample(0, Noon) with
            {
                Connected = null, Dhcp = Use(("received", 1), ("192.0.2.0/24", 200, 90 + hour * 10 / 24), ("198.51.100.0/24", 200, 150 - hour / 24)),
            });
        }

        var subnets = await Get<DhcpSubnets>().List(Server);

        Assert.Equal([("192.0.2.0/24", 150L, 0.75), ("198.51.100.0/24", 144L, 0.72)], subnets.Select(s => (s.Subnet, s.Assigned, s.Share!.Value)));
        Assert.InRange(subnets[0].PerDay!.Value, 9.9, 10.1);
        Assert.InRange(subnets[0].FullAt!.Value, Noon.AddDays(4.8), Noon.AddDays(5.2));
        Assert.True(subnets[1] is { PerDay: < 0, FullAt: null });
    }

    [Fact]
    public async Task A_subnet_of_which_only_hours_are_known_has_no_forecast()
    {
        await Send(120, Reports.Sample(0, Noon) with { Dhcp = Use(("received", 1), ("192.0.2.0/24", 10, 1)) });
        await Send(1, Reports.Sample(0, Noon) with { Dhcp = Use(("received", 1), ("192.0.2.0/24", 10, 9)) });

        Assert.True(Assert.Single(await Get<DhcpSubnets>().List(Server)) is { Assigned: 9, PerDay: null, FullAt: null });
    }

    [Fact]
    public async Task Names_that_nobody_has_asked_for_are_told_with_how_well_it_was_listened()
    {
        var dns = Serves(("example.org", "@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 192.0.2.1\nold A 192.0.2.2\nold TXT x\nnever A 192.0.2.3\n*.any A 192.0.2.4\n*.none A 192.0.2.5\nsub NS ns.sub\nns.sub A 192.0.2.6\nlame NS ns\n"), ("other.example", null));
        await Send(2, Reports.Sample(0, Noon, ("old.example.org.", "A", 5)));
        Time.Advance(TimeSpan.FromDays(100));
        await Send(2, Reports.Sample(0, Noon, ("ns.example.org.", "A", 1), ("example.org.", "SOA", 1), ("x.y.any.example.org.", "A", 1), ("deep.sub.example.org.", "A", 1), ("gone.example.org.", "A", 1)) with { Queries = 10 });

        var page = await Get<UnaskedNames>().List(Server, dns, new UnaskedQuery());

        Assert.Equal(
            [("*.none.example.org.", "A", null), ("lame.example.org.", "NS", null), ("never.example.org.", "A", null), ("old.example.org.", "A TXT", Noon.AddMinutes(-2))],
            page.Items.Select(n => (n.Name, string.Join(' ', n.Types), n.LastAccess)));
        Assert.Equal((4, null, "other.example."), (page.Total, page.Next, Assert.Single(page.Unknown)));
        Assert.Equal((Noon.AddDays(100).AddMinutes(-3), 5L, 10L, 0.5), (page.Listened.Since!.Value, page.Listened.Named, page.Listened.Queries, page.Listened.Share!.Value));
        Assert.Equal(3, (await Get<UnaskedNames>().List(Server, dns, new UnaskedQuery { Days = 365 })).Total);
    }

    [Fact]
    public async Task Unasked_names_come_in_pages_that_miss_none()
    {
        var dns = Serves(("example.org", string.Concat(Enumerable.Range(0, 25).Select(i => $"n{i} A 192.0.2.1\n"))), ("a.example", "@ A 192.0.2.1\n"));
        var (names, after) = (new List<string>(), default(string));
        do
        {
            var page = await Get<UnaskedNames>().List(Server, dns, new UnaskedQuery { Limit = 7, After = after });
            names.AddRange(page.Items.Select(n => n.Name));
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal((26, 26), (names.Count, names.Distinct().Count()));
        await Assert.ThrowsAsync<InvalidInputException>(() => Get<UnaskedNames>().List(Server, dns, new UnaskedQuery { Days = 0 }));
        await Assert.ThrowsAsync<InvalidInputException>(() => Get<UnaskedNames>().List(Server, dns, new UnaskedQuery { After = "x" }));
    }

    private static DnsConfiguration Serves(params (string Name, string? File)[] zones) => new() { Zones = [.. zones.Select(z => new Zone(z.Name, z.File))], Listen = [new ListenRequest("127.0.0.1")] };

    private static DhcpUse Use((string Name, long Count) packet, params (string Subnet, long Total, long Assigned)[] subnets) => new()
    {
        Packets = new Dictionary<string, long> { [packet.Name] = packet.Count }, Subnets = [.. subnets.Select(s => new SubnetUse(s.Subnet, s.Total, s.Assigned, 0))],
    };

    private Task Send(int minutesAgo, DnsSample sample)
    {
        var to = Time.GetUtcNow().AddMinutes(-minutesAgo);
        return Ingestion.Accept(Server, Reports.Dns(Time.GetUtcNow(), sample with { Seq = ++seq, From = to.AddSeconds(-10), To = to, Names = [.. (sample.Names ?? []).Select(n => n! with { Last = to })] }));
    }

    private Task<MetricsAnswer> Ask(int minutes, int points, params string[] metrics) =>
        Get<Metrics>().Query(Server, new MetricsQuery { Metrics = metrics, From = Noon.AddMinutes(-minutes), To = Noon, Points = points });
}
