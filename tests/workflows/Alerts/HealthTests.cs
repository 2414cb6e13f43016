using Dapper;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Alerts;

public sealed class HealthTests(Database database) : AlertTest(database)
{
    [Fact]
    public async Task What_the_ways_in_say_together_tells_which_part_of_a_server_is_ill()
    {
        string[] names = ["agent-silent", "collector", "component", "docker", "few-beats", "gone", "stopped", "twins", "well"];
        var servers = new Dictionary<string, Guid>();
        foreach (var name in names)
        {
            servers[name] = await Server(name);
        }

        await using (var connection = await Source.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("update servers.component set stopped_by = @run where server_id = @id and name = 'dns'", new { run = Guid.CreateVersion7(), id = servers["stopped"] });
        }

        var turn = 0;
        async Task All(bool ill)
        {
            turn++;
            foreach (var (name, id) in servers)
            {
                if (name != "collector" && name != "gone" || !ill)
                {
                    await Dns(id);
                }

                if (!ill || name is "well" or "collector" or "component" or "docker" or "stopped" or "twins" || (name == "few-beats" && turn % 2 == 0))
                {
                    await Beat(id, b => !ill ? b
                        : name == "docker" ? b with { Docker = new DockerReport("unknown", null), Components = null }
                        : name is "component" or "stopped" ? b with { Components = [new ComponentReport("monitor", "1", "running", "i"), new ComponentReport("dns", "1", "stopped", "i")] } : b);
                    if (ill && name == "twins")
                    {
                        await Beat(id, epoch: "ffeeddccbbaa99887766554433221100");
                    }
                }
            }
        }

        await Minutes(5, () => All(ill: false));
        Assert.All(await States(), s => Assert.EndsWith(" Healthy", s, StringComparison.Ordinal));
        Assert.Empty(await Alerts());

        await Minutes(15, () => All(ill: true));
        Assert.Equal(
            ["agent-silent AgentSilent", "collector CollectorSilent", "component ComponentDown", "docker DockerDead", "few-beats Degraded", "gone Unreachable", "stopped Healthy", "twins TwoAgents", "well Healthy"], await States());
        Assert.Equal(
        [
            "Firing Docker dead docker", "Firing agent silent agent-silent", "Firing component down component dns", "Firing heartbeats missing few-beats", "Firing server unreachable gone", "Firing statistics missing collector", "Firing two agents twins",
        ], await Alerts());

        // A host that falls silent does not say that its Docker is well.
        servers.Remove("docker");
        await Minutes(5, () => All(ill: true));
        Assert.Contains("Firing Docker dead docker", await Alerts());

        servers["docker"] = (await Get<ServerHealths>().List(null, "component", 1))[0].ServerId;
        await Minutes(5, () => All(ill: false));
        Assert.Empty(await Alerts());
    }

    private async Task<IReadOnlyList<string>> States() => [.. (await Get<ServerHealths>().List(null, null, 100)).Select(h => $"{h.Server} {h.State}")];
}
