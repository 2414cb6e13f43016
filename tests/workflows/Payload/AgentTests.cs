using System.Globalization;
using ManagedServers.Workflows.Provisioning;
using Microsoft.AspNetCore.Http;

namespace ManagedServers.Workflows.Tests.Payload;

public sealed class AgentTests : IAsyncLifetime
{
    private readonly TestProduct product = new();

    public Task InitializeAsync() => product.Start();

    public async Task DisposeAsync() => await product.DisposeAsync();

    [Fact]
    public async Task The_first_beat_comes_at_once_and_says_how_the_host_is()
    {
        using var agent = new AgentProcess(product, intervalSeconds: 3600);
        agent.Start();
        await Until.True("the first beat", () => product.Beats.Count == 1, 10);

        var beat = product.Beats.Values.Single();
        Assert.Equal(3, beat.Load!.Count);
        Assert.True(beat.Memory!.TotalBytes > beat.Memory.AvailableBytes && beat.Memory.AvailableBytes > 0);
        Assert.Contains(beat.Disks!, d => d is { Mount: "/", UsedBytes: > 0, InodesUsed: >= 0 });
        Assert.True(beat.UptimeSeconds > 0);
        Assert.Equal("running", beat.Docker!.State);
        Assert.NotNull(beat.Swap);
        Assert.NotNull(beat.Connections);
        Assert.NotNull(beat.Components);
    }

    [Fact]
    public async Task It_needs_little_memory_keeps_its_secret_and_ends_when_told()
    {
        using var agent = new AgentProcess(product);
        agent.Start();
        await Until.True("three beats", () => product.Beats.Count >= 3);

        var resident = (await File.ReadAllLinesAsync($"/proc/{agent.Id}/status")).Single(l => l.StartsWith("VmRSS", StringComparison.Ordinal));
        Assert.InRange(int.Parse(resident.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture), 1, 28 * 1024);
        Assert.DoesNotContain(TestProduct.Token, await File.ReadAllTextAsync($"/proc/{agent.Id}/cmdline"), StringComparison.Ordinal);
        Assert.DoesNotContain(TestProduct.Token, await File.ReadAllTextAsync($"/proc/{agent.Id}/environ"), StringComparison.Ordinal);
        Assert.Equal(0, await agent.Terminate());
        Assert.DoesNotContain(TestProduct.Token, agent.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_trusts_the_products_authority_alone()
    {
        await using var other = new TestProduct();
        using var agent = new AgentProcess(product, authorityPem: other.AuthorityPem);
        agent.Start();
        await Until.True("the refusal in the log", () => agent.Log.Contains("CERTIFICATE_VERIFY_FAILED", StringComparison.Ordinal));
        Assert.Empty(product.Beats);
    }

    [Fact]
    public async Task It_refuses_a_server_of_another_name()
    {
        await using var other = new TestProduct(serverName: "elsewhere.example");
        await other.Start();
        using var agent = new AgentProcess(other);
        agent.Start();
        await Until.True("the refusal in the log", () => agent.Log.Contains("managed-servers", StringComparison.Ordinal) && agent.Log.Contains("not delivered", StringComparison.Ordinal));
        Assert.Empty(other.Beats);
    }

    [Fact]
    public async Task What_cannot_be_delivered_comes_later_in_order_and_once_also_after_a_kill()
    {
        using var agent = new AgentProcess(product);
        agent.Start();
        await Until.True("a beat", () => !product.Beats.IsEmpty);
        await product.Stop();
        await Until.True("an outage that is noticed", () => agent.Log.Contains("not delivered", StringComparison.Ordinal));
        var before = product.Beats.Count;
        await Until.True("beats in the spool", () => Lines(agent.InFolder("spool", "records")) >= before + 4);
        await agent.Kill();
        agent.Start();
        await product.Start();
        await Until.True("everything", () => product.Beats.Count >= before + 5);

        Assert.Single(product.Beats.Keys.Select(k => k.Epoch).Distinct());
        var order = product.HeartbeatReports.SelectMany(r => r.Beats!).Select(b => b!.Seq!.Value).ToList();
        Assert.Equal(order.Order(), order);
        Assert.Empty(product.Reused);
        Assert.Equal(Enumerable.Range(1, product.Beats.Count).Select(i => (long)i), product.Beats.Keys.Select(k => k.Seq).Order());
    }

    [Fact]
    public async Task A_beat_that_the_product_refuses_does_not_hold_up_the_others()
    {
        product.Refuse = report => report.Beats!.Any(b => b!.Seq == 2) ? Results.Problem("beats[0].load: no", statusCode: 400) : null;
        using var agent = new AgentProcess(product);
        agent.Start();
        await Until.True("beats after the refused one", () => product.Beats.Keys.Any(k => k.Seq >= 4));

        Assert.DoesNotContain(product.Beats.Keys, k => k.Seq == 2);
        Assert.Contains("refuses record 2", agent.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("records", true)]
    [InlineData("records", false)]
    [InlineData("state", true)]
    public async Task A_damaged_spool_is_survived_and_no_number_is_used_twice(string file, bool wholly)
    {
        using var agent = new AgentProcess(product);
        agent.Start();
        await Until.True("two beats", () => product.Beats.Count >= 2);
        await agent.Kill();
        var path = agent.InFolder("spool", file);
        var bytes = await File.ReadAllBytesAsync(path);
        await File.WriteAllBytesAsync(path, wholly ? [.. Enumerable.Repeat((byte)0xff, 100)] : [.. bytes[..^20], 0xff, 0xfe]);
        var before = product.Beats.Count;

        agent.Start();

        await Until.True("new beats", () => product.Beats.Count >= before + 2);
        Assert.Empty(product.Reused);
    }

    [Fact]
    public async Task Only_one_agent_runs_in_a_folder()
    {
        using var agent = new AgentProcess(product);
        agent.Start();
        await Until.True("a beat", () => !product.Beats.IsEmpty);

        Assert.Equal("", await Command.Run("python3", "-I", agent.InFolder("agent.py"), "run"));

        var count = product.Beats.Count;
        await Until.True("the first goes on", () => product.Beats.Count > count);
    }

    [Fact]
    public void On_a_host_the_agent_is_one_file_with_the_monitors_delivery_in_it_to_the_letter()
    {
        var delivery = File.ReadAllText(Repository.Path("workflows", "Payload", "monitor", "delivery.py"));
        Assert.Contains(delivery, System.Text.Encoding.UTF8.GetString(PayloadFiles.AgentScript), StringComparison.Ordinal);
    }

    private static int Lines(string path) => File.Exists(path) ? File.ReadAllLines(path).Length : 0;
}
