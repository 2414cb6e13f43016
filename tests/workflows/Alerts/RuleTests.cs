using ManagedServers.Workflows.Alerts;

namespace ManagedServers.Workflows.Tests.Alerts;

public sealed class RuleTests(Database database) : AlertTest(database)
{
    [Fact]
    public async Task A_new_installation_has_rules_that_could_have_been_written_by_an_operator()
    {
        var rules = await Rules.List();
        Assert.Equal(17, rules.Count);
        foreach (var rule in rules)
        {
            var change = await Rules.Edit(rule.Name, new AlertRuleRequest(), "op");
            Assert.Empty(change.Changes);
        }

        var server = await Server("ns1");
        await Minutes(5, async () => { await Beat(server); await Dns(server); });
        Assert.Empty(await Alerts());
    }

    [Fact]
    public async Task A_rule_is_added_changed_shown_before_and_removed()
    {
        await Server("ns1");
        var added = await (await Rules.Add(new AlertRuleRequest
        {
            Name = "short of memory", Kind = AlertKind.Threshold, Metric = "memory.available", Comparison = AlertComparison.Below, Value = 1 << 20, ClearValue = 2 << 20, Servers = ["ns1"],
        }, "op")).Make();
        Assert.Equal((AlertSeverity.Warning, 120, true, "op"), (added.Severity, added.ForSeconds, added.Enabled, added.ChangedBy));

        var edit = await Rules.Edit("Short of memory", new AlertRuleRequest { Value = 4096, ClearValue = 8192, Servers = [] }, "op");
        Assert.Equal(["fires when: memory.available is below 1 MiB -> memory.available is below 4 KiB", "over when: not below 2 MiB -> not below 8 KiB", "servers: ns1 -> all"], edit.Changes.Select(c => $"{c.Thing}: {c.From} -> {c.To}"));
        Assert.Equal(1 << 20, (await Rules.Get(added.Id.ToString())).Value);
        Assert.Equal(4096, (await edit.Make()).Value);

        await (await Rules.Remove(added.Name)).Make();
        await Assert.ThrowsAsync<AlertRuleNotFoundException>(() => Rules.Get(added.Name));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_the_field()
    {
        var right = new AlertRuleRequest { Name = "x", Kind = AlertKind.Threshold, Metric = "load.1", Comparison = AlertComparison.Above, Value = 1 };
        await (await Rules.Add(right, "op")).Make();
        right = right with { Name = "y" };
        await Refused(new AlertRuleRequest(), "kind", "name");
        await Refused(right with { Name = "X" }, "name");
        await Refused(right with { Metric = "load.2" }, "metric");
        await Refused(right with { Metric = "load.1{a}" }, "metric");
        await Refused(right with { Of = "disk.total" }, "of");
        await Refused(right with { Metric = "disk.used", Of = "network.sent" }, "of");
        await Refused(right with { Metric = "disk.used", Of = "disk.total{/}" }, "of");
        await Refused(right with { Value = double.NaN }, "value");
        await Refused(right with { ClearValue = 2 }, "clearValue");
        await Refused(right with { Comparison = AlertComparison.Below, ClearValue = 0.5 }, "clearValue");
        await Refused(right with { Comparison = null, Value = null }, "comparison", "value");
        await Refused(right with { ForSeconds = -1, Condition = HealthState.Unreachable, WindowSeconds = 100 }, "condition", "forSeconds", "windowSeconds");
        await Refused(right with { Kind = AlertKind.Forecast, Metric = "disk.used", Of = "disk.total", Value = 60 }, "value");
        await Refused(right with { Kind = AlertKind.Rate, WindowSeconds = 10_000 }, "windowSeconds");
        await Refused(new AlertRuleRequest { Name = "y", Kind = AlertKind.Absence, Metric = "disk.used" }, "metric");
        await Refused(new AlertRuleRequest { Name = "y", Kind = AlertKind.State, Condition = HealthState.Healthy }, "condition");
        await Refused(right with { Servers = ["nobody"] }, "servers[0]");
        await Assert.ThrowsAsync<InvalidInputException>(() => Rules.Edit("x", new AlertRuleRequest { Kind = AlertKind.Rate }, "op"));

        async Task Refused(AlertRuleRequest request, params string[] fields) =>
            Assert.Equal(fields, (await Assert.ThrowsAsync<InvalidInputException>(() => Rules.Add(request, "op"))).Errors.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("disk.used{/'; drop table alerts.rule; --}")]
    [InlineData("disk.used{/a\"b\\c}")]
    public async Task What_an_operator_writes_into_a_label_is_only_a_label(string metric)
    {
        var server = await Server("ns1");
        var mount = metric["disk.used{".Length..^1];
        await Only(new AlertRuleRequest { Name = "odd", Kind = AlertKind.Threshold, Metric = metric, Of = "disk.total", Comparison = AlertComparison.Above, Value = 0.5, ForSeconds = 0 });
        await Minutes(0.5, () => Beat(server, b => Disk(b, 90, mount)));
        Assert.Equal([$"Firing odd ns1 {mount}"], await Alerts());
    }
}
