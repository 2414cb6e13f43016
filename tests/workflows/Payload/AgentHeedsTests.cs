using System.Text;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>What an agent does because the product's answer says so.</summary>
public sealed class AgentHeedsTests : IAsyncLifetime
{
    private readonly TestProduct product = new();

    public Task InitializeAsync() => product.Start();

    public async Task DisposeAsync() => await product.DisposeAsync();

    [Fact]
    public async Task Another_interval_holds_from_the_next_beat_on_and_a_service_that_is_off_is_not_measured()
    {
        product.Settings = new SenderSettings(1, new Dictionary<string, int> { ["disk"] = 0, ["swap"] = 3600 });
        using var agent = new AgentProcess(product, intervalSeconds: 3600);
        agent.Start();

        await Until.True("four beats, which would take three hours otherwise", () => product.Beats.Count >= 4);

        var beats = product.Beats.OrderBy(b => b.Key.Seq).Select(b => b.Value).ToList();
        Assert.NotNull(beats[0].Disks); // before it was told
        Assert.All(beats.Skip(1), beat => Assert.Null(beat.Disks));
        Assert.Single(beats, beat => beat.Swap is not null); // once an hour is enough
        Assert.All(beats, beat => Assert.NotNull(beat.Memory));

        product.Settings = new SenderSettings(1, new Dictionary<string, int>());
        await Until.True("disks again", () => product.Beats.MaxBy(b => b.Key.Seq).Value.Disks is not null);
    }

    [Fact]
    public async Task It_becomes_the_agent_whose_digest_the_product_names_and_loses_no_beat()
    {
        using var agent = new AgentProcess(product);
        agent.Age();
        agent.Start();
        await Until.True("a beat", () => !product.Beats.IsEmpty);

        product.Agent = (Other("VERSION = \"2\"", "VERSION = \"later\""), null);
        await Until.True("beats of the new one", () => product.Beats.Values.Any(b => b.AgentVersion == "later"));

        Assert.Equal(product.Agent.Value.Script, await File.ReadAllBytesAsync(agent.InFolder("agent.py")));
        Assert.False(File.Exists(agent.InFolder("agent.py.new")));
        Assert.Equal(Enumerable.Range(1, product.Beats.Count).Select(i => (long)i), product.Beats.Keys.Select(k => k.Seq).Order());
        Assert.Equal(0, await agent.Terminate());
    }

    [Theory]
    [InlineData("not the file that it had named")]
    [InlineData("does not run here")]
    public async Task It_stays_as_it_is_where_the_new_one_is_not_what_was_named_or_does_not_run(string why)
    {
        var named = why.Contains("named", StringComparison.Ordinal);
        product.Agent = named ? (PayloadFiles.AgentScript, new string('0', 64)) : (Other("def prove():", "def prove():\n    raise SystemExit('no')"), null);
        using var agent = new AgentProcess(product);
        agent.Age();
        agent.Start();
        await Until.True("the reason in its log", () => agent.Log.Contains("the agent stays as it is", StringComparison.Ordinal));
        var then = product.Beats.Count;
        await Until.True("beats after it", () => product.Beats.Count >= then + 2);

        Assert.Contains(why, agent.Log, StringComparison.Ordinal);
        Assert.Equal(PayloadFiles.AgentScript, await File.ReadAllBytesAsync(agent.InFolder("agent.py")));
        Assert.False(File.Exists(agent.InFolder("agent.py.new")));
    }

    [Fact]
    public async Task It_tells_how_the_processor_and_the_connections_were_spent()
    {
        using var agent = new AgentProcess(product);
        agent.Start();
        await Until.True("two beats", () => product.Beats.Count >= 2);

        var beat = product.Beats.MaxBy(b => b.Key.Seq).Value;
        Assert.InRange(beat.Cpu!.User + beat.Cpu.Nice + beat.Cpu.System + beat.Cpu.Idle + beat.Cpu.Iowait + beat.Cpu.Irq + beat.Cpu.Softirq + beat.Cpu.Steal, 0.99, 1.01);
        Assert.True(beat.Connections!.Tcp!.Established > 0 && beat.Connections.Tcp.Listen > 0);
        Assert.True(beat.Memory!.CachedBytes > 0 && beat.Memory.CommittedBytes > 0);
        Assert.True(beat.Processes > 1);
    }

    private static byte[] Other(string what, string by)
    {
        var script = Encoding.UTF8.GetString(PayloadFiles.AgentScript);
        Assert.Contains(what, script, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(script.Replace(what, by, StringComparison.Ordinal));
    }
}
