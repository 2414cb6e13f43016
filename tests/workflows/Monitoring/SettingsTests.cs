using System.Text.Json.Nodes;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Settings;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class SettingsTests(Database database) : MonitoringTest(database)
{
    [Fact]
    public async Task What_is_set_is_told_to_hosts_with_the_answer_to_their_next_report()
    {
        Assert.Equal(30, (await Ingestion.Accept(Server, Reports.Beat(1, Noon))).Settings!.IntervalSeconds);

        await Change("monitoring", """{"heartbeatIntervalSeconds":15,"pushIntervalSeconds":5}""");
        await Change("monitoring-services", """{"disk":{"intervalSeconds":300},"swap":{"enabled":false},"dnsHits":{"enabled":false}}""");

        long seq = 2;
        Accepted answer;
        do
        {
            answer = await Ingestion.Accept(Server, Reports.Beat(seq++, Noon));
        }
        while (answer.Settings!.IntervalSeconds != 15 || answer.Settings.Services.GetValueOrDefault("disk") != 300);

        Assert.Equal(300, answer.Settings.Services["disk"]);
        Assert.Equal(0, answer.Settings.Services["swap"]);
        Assert.Equal(30, answer.Settings.Services["cpu"]); // asked for every 30 s, while beats come every 15
    }

    [Fact]
    public async Task Only_what_is_named_changes_a_null_takes_it_back_and_every_change_is_kept()
    {
        await Change("monitoring", """{"windowSeconds":300,"healthyCount":8}""");
        var now = await Change("monitoring", """{"healthyCount":null}""");

        Assert.Equal((2, 300, 4, 30), (now.Version, (int)now.Value["windowSeconds"]!, (int)now.Value["healthyCount"]!, (int)now.Value["heartbeatIntervalSeconds"]!));
        Assert.Equal(2, (await Change("monitoring", """{"windowSeconds":300}""")).Version);
        Assert.Equal([(2L, "admin"), (1, "admin"), (0, null)], (await Settings.History("monitoring")).Select(s => (s.Version, s.ChangedBy)));
    }

    [Theory]
    [InlineData("monitoring", """{"heartbeatIntervalSeconds":1}""", "heartbeatIntervalSeconds")]
    [InlineData("monitoring", """{"healthyCount":5}""", "healthyCount")]
    [InlineData("monitoring", """{"heartbeatIntervalSeconds":"soon"}""", "heartbeatIntervalSeconds")]
    [InlineData("monitoring", """{"nothing":1}""", "nothing")]
    [InlineData("monitoring", "[]", "body")]
    [InlineData("monitoring-services", """{"disk":{"intervalSeconds":0}}""", "disk.intervalSeconds")]
    [InlineData("monitoring-services", """{"disk":7}""", "disk")]
    [InlineData("monitoring-services", """{"namesPerServer":-1}""", "namesPerServer")]
    public async Task A_change_that_breaks_a_rule_names_the_member_and_changes_nothing(string module, string change, string field)
    {
        var refused = await Assert.ThrowsAsync<InvalidInputException>(() => Change(module, change));

        Assert.Equal([field], refused.Errors.Keys);
        Assert.Equal(0, (await Settings.Get(module)).Version);
    }

    [Fact]
    public async Task Of_two_who_looked_at_one_version_the_second_is_told_and_of_many_at_once_none_is_lost()
    {
        await (await Settings.Change("monitoring", JsonNode.Parse("""{"hitsKeptDays":100}"""), 0, "one")).Make();
        var late = await Assert.ThrowsAsync<SettingsConflictException>(() => Settings.Change("monitoring", JsonNode.Parse("""{"hitsKeptDays":200}"""), 0, "two"));
        Assert.Contains("version 1 now, changed by one", late.Message, StringComparison.Ordinal);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Change("monitoring-services", $$"""{"namesPerServer":{{1000 + i}}}""")));
        Assert.Equal(9, (await Settings.History("monitoring-services")).Count);
        await Assert.ThrowsAsync<SettingsNotFoundException>(() => Settings.Get("nothing"));
    }

    private async Task<StoredSettings> Change(string module, string change) => await (await Settings.Change(module, JsonNode.Parse(change), null, "admin")).Make();
}
