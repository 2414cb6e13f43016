using Dapper;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Tests.Monitoring;

namespace ManagedServers.Workflows.Tests.Alerts;

public sealed class EvaluationTests(Database database) : AlertTest(database)
{
    private static readonly AlertRuleRequest Full = new()
    {
        Name = "full", Kind = AlertKind.Threshold, Metric = "disk.used", Of = "disk.total", Comparison = AlertComparison.Above, Value = 0.9, ClearValue = 0.8, ForSeconds = 60, Severity = AlertSeverity.Critical,
    };

    [Fact]
    public async Task A_threshold_is_pending_for_its_time_then_fires_and_is_over_only_beyond_its_clear_value()
    {
        var server = await Server("ns1");
        await Only(Full);
        async Task Used(int percent, double minutes) => await Minutes(minutes, () => Beat(server, b => Disk(b, percent)));

        await Used(91, 0.5);
        Assert.Equal(["Pending full ns1 /"], await Alerts());
        await Used(85, 0.5); // below the limit: it did not last
        Assert.Empty(await Alerts());
        await Used(95, 1.5);
        Assert.Equal(["Firing full ns1 /"], await Alerts());
        await Used(85, 3); // between the two: it does not come and go
        Assert.Equal(["Firing full ns1 /"], await Alerts());
        Assert.Equal("disk.used/disk.total of / is 85 % (above 90 %)", (await Get<AlertList>().List(new AlertFilter()))[0].Summary);
        await Used(79, 0.5);
        Assert.Empty(await Alerts());
        Assert.Equal(["Resolved full ns1 /"], await Alerts(AlertState.Resolved));
        await Used(99, 1.5);
        Assert.Equal(["Firing full ns1 /"], await Alerts());
    }

    [Fact]
    public async Task Of_a_host_that_says_nothing_an_alert_stays_and_of_a_disk_that_is_gone_it_is_over()
    {
        var (silent, unmounted, removed) = (await Server("silent"), await Server("unmounted"), await Server("removed"));
        await Only(Full with { ForSeconds = 0 });
        await Minutes(0.5, async () => { await Beat(silent, b => Disk(b, 99)); await Beat(unmounted, b => Disk(b, 99, "/mnt")); await Beat(removed, b => Disk(b, 99)); });
        Assert.Equal(3, (await Alerts()).Count);

        await using (var connection = await Source.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("delete from servers.component where server_id = @removed", new { removed });
        }

        await Minutes(5, () => Beat(unmounted));
        Assert.Equal(["Firing full silent /"], await Alerts());
        Assert.Equal(["it is over", "nothing is installed on the server any more"], (await Get<AlertList>().List(new AlertFilter { State = AlertState.Resolved })).Select(a => a.ResolvedWhy!).Order());

        await (await Rules.Edit("full", new AlertRuleRequest { Enabled = false }, "op")).Make();
        await Minutes(0.5);
        Assert.Empty(await Alerts());
    }

    [Fact]
    public async Task A_rule_watches_the_servers_and_the_label_that_it_names()
    {
        var (one, two) = (await Server("one"), await Server("two"));
        await Only(Full with { ForSeconds = 0, Servers = ["ONE"] });
        await (await Rules.Add(Full with { Name = "var", ForSeconds = 0, Metric = "disk.used{/var}" }, "op")).Make();

        await Minutes(0.5, async () => { await Beat(one, b => Disk(b, 99)); await Beat(two, b => b with { Disks = [new DiskUse("/", 10, 10, 1, 1), new DiskUse("/var", 10, 10, 1, 1)] }); });

        Assert.Equal(["Firing full one /", "Firing var two /var"], await Alerts());
    }

    [Fact]
    public async Task What_is_measured_less_often_than_beats_come_is_looked_for_in_an_older_beat()
    {
        var server = await Server("ns1");
        await (await Get<Workflows.Settings.ProductSettings>().Change("monitoring-services", System.Text.Json.Nodes.JsonNode.Parse("""{"disk":{"intervalSeconds":300}}"""), null, "op")).Make();
        await Payload.Until.True("the setting is read", () => Task.FromResult(Get<CurrentMonitoring>().Agent.Services.GetValueOrDefault("disk") == 300));
        await Only(Full);
        await Minutes(0.5, () => Beat(server, b => Disk(b, 99)));

        await Minutes(4, () => Beat(server, b => b with { Disks = null }));
        Assert.Equal(["Firing full ns1 /"], await Alerts());
        await Minutes(0.5, () => Beat(server, b => Disk(b, 1)));
        Assert.Empty(await Alerts());
    }

    [Fact]
    public async Task A_rate_is_taken_over_its_window_and_a_counter_that_starts_anew_is_not_a_leap()
    {
        var server = await Server("ns1");
        await Only(new AlertRuleRequest { Name = "busy", Kind = AlertKind.Rate, Metric = "network.received", Comparison = AlertComparison.Above, Value = 200, WindowSeconds = 120, ForSeconds = 0 });
        await Minutes(3, () => Beat(server)); // 100 a second
        Assert.Empty(await Alerts());

        long received = 1_000_000_000;
        await Minutes(0.5, () => Beat(server, b => b with { Network = [new NetworkUse("eth0", received += 60_000, 0)] }));
        Assert.Equal(["Firing busy ns1 eth0"], await Alerts());
        await Minutes(3, () => Beat(server, b => b with { Network = [new NetworkUse("eth0", received += 3000, 0)] }));
        Assert.Empty(await Alerts());
        // The host is started again: the counter is less than before.
        var uptime = 0;
        await Minutes(3, () => Beat(server, b => b with { UptimeSeconds = uptime += 30, Network = [new NetworkUse("eth0", uptime * 100, 0)] }));
        Assert.Empty(await Alerts());
        Assert.Single(await Alerts(AlertState.Resolved));
    }

    [Fact]
    public async Task What_is_absent_fires_after_its_window_and_a_product_that_was_away_does_not_blame_the_hosts()
    {
        var (well, silent) = (await Server("well"), await Server("silent"));
        await Only(new AlertRuleRequest { Name = "silent", Kind = AlertKind.Absence, Metric = "uptime", WindowSeconds = 120, ForSeconds = 0 });
        await Beat(silent);
        await Minutes(2, () => Beat(well));
        Assert.Empty(await Alerts()); // not yet known
        await Minutes(2, () => Beat(well));
        Assert.Equal(["Firing silent silent"], await Alerts());

        await Minutes(0.5, async () => { await Beat(well); await Beat(silent); });
        Assert.Empty(await Alerts());

        Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, (await Evaluation.Evaluate())!.Fired);
        await Minutes(4, () => Beat(well));
        Assert.Equal(["Firing silent silent"], await Alerts());
    }

    [Fact]
    public async Task A_disk_that_fills_is_told_days_before_it_is_full()
    {
        var (filling, steady) = (await Server("filling"), await Server("steady"));
        await Only(new AlertRuleRequest { Name = "soon", Kind = AlertKind.Forecast, Metric = "disk.used", Of = "disk.total", Value = 4 * 86_400, ClearValue = 5 * 86_400, ForSeconds = 0 });
        for (var hour = 0; hour < 26; hour++)
        {
            Time.Advance(TimeSpan.FromHours(1));
            await Beat(filling, b => b with { Disks = [new DiskUse("/var", 1_000_000, 670_000 + 10_000 * hour / 8, 1, 1)] });
            await Beat(steady, b => b with { Disks = [new DiskUse("/var", 1_000_000, 950_000, 1, 1)] });
        }

        await Get<Compaction>().Compact(CancellationToken.None);
        await Get<Trends>().Refresh();
        await Minutes(0.5, async () =>
        {
            await Beat(filling, b => b with { Disks = [new DiskUse("/var", 1_000_000, 900_000, 1, 1)] });
            await Beat(steady, b => b with { Disks = [new DiskUse("/var", 1_000_000, 950_000, 1, 1)] });
        });

        Assert.Equal(["Firing soon filling /var"], await Alerts());
        // 100,000 at 1,250 an hour.
        Assert.Equal(80 * 3600, (await Get<AlertList>().List(new AlertFilter()))[0].Value!.Value, 1000.0);
    }

    [Fact]
    public async Task Addresses_that_run_out_are_told_when_they_have_and_days_before()
    {
        var (filling, well) = (await Server("filling", "monitor", "dhcp"), await Server("well", "monitor", "dhcp"));
        Task Told(Guid server, long assigned) => Get<Ingestion>().Accept(server, Reports.Dns(Time.GetUtcNow(), Reports.Sample(Time.GetUtcNow().ToUnixTimeSeconds(), Time.GetUtcNow()) with
        {
            Connected = null, Dhcp = new DhcpUse { Subnets = [new SubnetUse("192.0.2.0/24", 100, assigned, 0), new SubnetUse("198.51.100.0/24", 0, 0, 0)] },
        }));
        await Only(Full with { Name = "used up", Metric = "dhcp.addresses.assigned", Of = "dhcp.addresses.total", ForSeconds = 0 });
        await (await Rules.Add(new AlertRuleRequest
        {
            Name = "soon", Kind = AlertKind.Forecast, Metric = "dhcp.addresses.assigned", Of = "dhcp.addresses.total", Value = 4 * 86_400, ClearValue = 5 * 86_400, ForSeconds = 0,
        }, "op")).Make();
        for (var hour = 0; hour < 8; hour++)
        {
            Time.Advance(TimeSpan.FromHours(1));
            await Told(filling, 40 + 5 * hour);
            await Told(well, 40);
        }

        await Get<Trends>().Refresh();
        await Minutes(0.5, async () => { await Told(filling, 75); await Told(well, 40); });
        Assert.Equal(["Firing soon filling 192.0.2.0/24"], await Alerts());
        await Minutes(0.5, async () => { await Told(filling, 95); await Told(well, 40); });
        Assert.Equal(["Firing soon filling 192.0.2.0/24", "Firing used up filling 192.0.2.0/24"], await Alerts());
        await Minutes(0.5, async () => { await Told(filling, 20); await Told(well, 40); });
        Assert.Equal(["Firing soon filling 192.0.2.0/24"], await Alerts());
        await Assert.ThrowsAsync<InvalidInputException>(() => Rules.Add(new AlertRuleRequest { Name = "x", Kind = AlertKind.Rate, Metric = "dhcp.addresses.assigned", Comparison = AlertComparison.Above, Value = 1 }, "op"));
    }

    [Fact]
    public async Task Two_nodes_that_evaluate_at_once_do_it_once()
    {
        var server = await Server("ns1");
        await Only(Full with { ForSeconds = 0 });
        await Beat(server, b => Disk(b, 99));

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Evaluation.Evaluate()));

        Assert.Single(results, r => r is not null);
        Assert.Equal(["Firing full ns1 /"], await Alerts());
        Assert.Null(await Evaluation.Evaluate());
    }
}
