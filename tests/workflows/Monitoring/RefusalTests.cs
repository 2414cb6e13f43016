using System.Text.Json;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

public sealed class RefusalTests(Database database) : MonitoringTest(database)
{
    [Theory]
    [InlineData("epoch", """{"epoch":"xyz","beats":[{"seq":1,"sentAt":"2026-03-01T12:00:00Z"}]}""")]
    [InlineData("epoch", """{"beats":[{"seq":1,"sentAt":"2026-03-01T12:00:00Z"}]}""")]
    [InlineData("beats", """{"epoch":"00112233445566778899aabbccddeeff"}""")]
    [InlineData("beats", """{"epoch":"00112233445566778899aabbccddeeff","beats":[]}""")]
    [InlineData("beats[0]", """{"epoch":"00112233445566778899aabbccddeeff","beats":[null]}""")]
    public Task A_report_without_its_frame_is_refused(string field, string json) => IsRefused(field, Reports.Parse<HeartbeatReport>(json));

    [Theory]
    [InlineData("seq", """ "seq":0 """)]
    [InlineData("seq", """ "seq":-1 """)]
    [InlineData("seq", """ "seq":9223372036854775807 """)]
    [InlineData("sentAt", """ "sentAt":"2026-03-01T14:00:00Z" """)]
    [InlineData("sentAt", """ "sentAt":"2026-01-01T14:00:00Z" """)]
    [InlineData("sentAt", """ "sentAt":"9999-12-31T23:59:59Z" """)]
    [InlineData("sentAt", """ "sentAt":"0001-01-01T00:00:00Z" """)]
    [InlineData("agentVersion", """ "agentVersion":"1\n2" """)]
    [InlineData("uptimeSeconds", """ "uptimeSeconds":-1 """)]
    [InlineData("uptimeSeconds", """ "uptimeSeconds":1e999 """)]
    [InlineData("load", """ "load":[1,2] """)]
    [InlineData("load[1]", """ "load":[1,-2,3] """)]
    [InlineData("memory.totalBytes", """ "memory":{"totalBytes":-1,"availableBytes":0} """)]
    [InlineData("swap.usedBytes", """ "swap":{"totalBytes":0,"usedBytes":9223372036854775807} """)]
    [InlineData("disks[0].mount", """ "disks":[{"mount":"relative","totalBytes":1,"usedBytes":1,"inodesTotal":1,"inodesUsed":1}] """)]
    [InlineData("disks[0].mount", """ "disks":[{"mount":"/a\u0000b","totalBytes":1,"usedBytes":1,"inodesTotal":1,"inodesUsed":1}] """)]
    [InlineData("cpu.user", """ "cpu":{"user":1.01} """)]
    [InlineData("cpu.steal", """ "cpu":{"user":0.1,"steal":-0.1} """)]
    [InlineData("cpu.idle", """ "cpu":{"idle":1e999} """)]
    [InlineData("memory.committedBytes", """ "memory":{"totalBytes":1,"availableBytes":0,"committedBytes":-1} """)]
    [InlineData("connections.tcp.timeWait", """ "connections":{"tcpEstablished":0,"udp":0,"tcp":{"timeWait":-1}} """)]
    [InlineData("processes", """ "processes":-1 """)]
    [InlineData("network[0].interface", """ "network":[{"interface":"a b","receivedBytes":1,"sentBytes":1}] """)]
    [InlineData("network[0].interface", """ "network":[{"receivedBytes":1,"sentBytes":1}] """)]
    [InlineData("network[0].sentBytes", """ "network":[{"interface":"e","receivedBytes":1,"sentBytes":9223372036854775807}] """)]
    [InlineData("docker.state", """ "docker":{"state":"dead"} """)]
    [InlineData("components[0].name", """ "components":[{"name":"DNS","state":"running"}] """)]
    [InlineData("components[0].state", """ "components":[{"name":"dns","state":"up"}] """)]
    [InlineData("components[0].image", """ "components":[{"name":"dns","state":"running","image":"a\u0001b"}] """)]
    public Task A_beat_that_breaks_a_rule_is_refused_by_the_name_of_the_field(string field, string json) =>
        IsRefused($"beats[1].{field}", Reports.Parse<HeartbeatReport>(
            $$"""{"epoch":"00112233445566778899aabbccddeeff","beats":[{"seq":1,"sentAt":"2026-03-01T12:00:00Z"},{{With("""{"seq":2,"sentAt":"2026-03-01T12:00:00Z"}""", json)}}]}"""));

    [Theory]
    [InlineData("to", """ "to":"2026-03-01T11:59:49Z" """)]
    [InlineData("from", """ "from":null """)]
    [InlineData("queries", """ "queries":-1 """)]
    [InlineData("named", """ "named":8 """)]
    [InlineData("names[0].zone", """ "names":[{"zone":"example.org","name":"a.example.org.","type":"A","count":7}] """)]
    [InlineData("names[0].name", """ "names":[{"zone":"example.org.","name":"A.example.org.","type":"A","count":7}] """)]
    [InlineData("names[0].name", """ "names":[{"zone":"example.org.","name":"aexample.org.","type":"A","count":7}] """)]
    [InlineData("names[0].name", """ "names":[{"zone":"example.org.","name":"a\u0000.example.org.","type":"A","count":7}] """)]
    [InlineData("names[0].type", """ "names":[{"zone":"example.org.","name":"a.example.org.","type":"a","count":7}] """)]
    [InlineData("names[0].count", """ "names":[{"zone":"example.org.","name":"a.example.org.","type":"A","count":0}] """)]
    [InlineData("responses", """ "responses":{"no error":1} """)]
    [InlineData("responses.NOERROR", """ "responses":{"NOERROR":-1} """)]
    [InlineData("types", """ "types":{"A B":1} """)]
    [InlineData("transports.udp4", """ "transports":{"udp4":1000000000001} """)]
    [InlineData("dhcp.packets", """ "dhcp":{"packets":{"":1}} """)]
    [InlineData("dhcp.subnets[0]", """ "dhcp":{"subnets":[null]} """)]
    [InlineData("dhcp.subnets[0].subnet", """ "dhcp":{"subnets":[{"subnet":"192.0.2.1/24","total":1,"assigned":0,"declined":0}]} """)]
    [InlineData("dhcp.subnets[0].subnet", """ "dhcp":{"subnets":[{"subnet":"2001:db8::/64","total":1,"assigned":0,"declined":0}]} """)]
    [InlineData("dhcp.subnets[0].subnet", """ "dhcp":{"subnets":[{"total":1,"assigned":0,"declined":0}]} """)]
    [InlineData("dhcp.subnets[0].declined", """ "dhcp":{"subnets":[{"subnet":"192.0.2.0/24","total":1,"assigned":0,"declined":-1}]} """)]
    [InlineData("dhcp.subnets", """ "dhcp":{"subnets":[{"subnet":"192.0.2.0/24","total":1,"assigned":0,"declined":0},{"subnet":"192.0.2.0/24","total":1,"assigned":0,"declined":0}]} """)]
    public Task A_sample_that_breaks_a_rule_is_refused_by_the_name_of_the_field(string field, string json) =>
        IsRefused($"samples[0].{field}", Reports.Parse<DnsReport>(
            $$"""{"epoch":"00112233445566778899aabbccddeeff","samples":[{{With("""
                {"seq":1,"from":"2026-03-01T11:59:50Z","to":"2026-03-01T12:00:00Z","queries":7,"named":7,"other":0,"connected":true,
                 "names":[{"zone":"example.org.","name":"a.example.org.","type":"A","count":7}]}
                """, json)}}]}"""));

    [Fact]
    public async Task A_name_that_is_too_long_is_refused()
    {
        var name = string.Concat(Enumerable.Repeat("\\001", 260)) + ".example.org.";
        await IsRefused("samples[0].names[0].name", Reports.Dns(Noon, Reports.Sample(1, Noon, (name, "A", 1))));
    }

    [Fact]
    public async Task Nothing_of_a_refused_report_is_stored()
    {
        await IsRefused("beats[1].seq", Reports.Beats(Noon, (1, Noon), (0, Noon)));

        Assert.Empty((await Heartbeats.Recent(Server)).Items);
        Assert.Equal(1, (await Ingestion.Accept(Server, Reports.Beat(1, Noon))).Count);
    }

    private async Task IsRefused(string field, object report)
    {
        var refusal = await Assert.ThrowsAsync<InvalidInputException>(() => report is HeartbeatReport beats
            ? Ingestion.Accept(Server, beats)
            : Ingestion.Accept(Server, (DnsReport)report));
        Assert.Contains(field, refusal.Errors.Keys);
    }

    /// <summary>An object with one member replaced or added.</summary>
    private static string With(string json, string member)
    {
        var members = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!;
        foreach (var (name, value) in JsonSerializer.Deserialize<Dictionary<string, JsonElement>>($"{{{member}}}")!)
        {
            members[name] = value;
        }

        return JsonSerializer.Serialize(members);
    }
}
