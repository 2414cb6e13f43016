using System.Security.Cryptography;
using System.Text;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>The agent says what really runs on its host to a product that cannot look itself.</summary>
public sealed class AgentWatchTests : IAsyncLifetime
{
    private readonly TestProduct product = new();
    private readonly SortedDictionary<string, byte[]> files = new(StringComparer.Ordinal)
    {
        ["knot.conf"] = "server:\n"u8.ToArray(), ["zones/b.zone"] = Encoding.UTF8.GetBytes(new string('b', 3_000_000)), ["zones/a-b.zone"] = [], ["zones/a.zone"] = "a"u8.ToArray(),
    };

    public Task InitializeAsync() => product.Start();

    public async Task DisposeAsync() => await product.DisposeAsync();

    [Fact]
    public async Task It_says_so_when_something_changed_or_was_asked_for_anew_and_reckons_as_the_product_does()
    {
        product.AsOf = "first";
        using var agent = new AgentProcess(product);
        var digest = Write(agent);
        agent.Start();
        await Until.True("a report", () => product.States.Count == 2);
        Assert.Equal(new HostStateReport(null, null, null), product.States.First());
        var (asOf, whole) = Last();
        Assert.Equal(("first", digest, digest, null), (asOf, whole.Current, whole.Digest, whole.Files));
        Assert.Equal([("keys.conf", null), ("knot.conf", "current/knot.conf"), ("zones", "a folder")], whole.Links!.OrderBy(l => l.Key).Select(l => (l.Key, l.Value)));
        Assert.NotNull(product.States.Last().Containers);

        // What is as it was is not said again with every beat.
        var beats = product.Beats.Count;
        await Until.True("beats without a report", () => product.Beats.Count >= beats + 3);
        Assert.Equal(2, product.States.Count);

        await File.WriteAllTextAsync(Path.Combine(Config(agent), digest, "zones", "a.zone"), "A");
        await Until.True("the change", () => Last().Configuration.Files is not null);
        Assert.Equal(4, Last().Configuration.Files!.Count);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("A"u8)), Last().Configuration.Files!["zones/a.zone"]);

        product.AsOf = "second";
        await File.WriteAllTextAsync(Path.Combine(Config(agent), digest, "zones", "more\n\u001b[2Jé"), "");
        await Until.True("a look after the other was asked for", () => Last().AsOf == "second");
        Assert.Equal("first", product.States.ElementAt(product.States.Count - 2).AsOf);
        Assert.Contains(@"zones/more\n\x1b[2J\xe9", Last().Configuration.Files!.Keys);
    }

    [Fact]
    public async Task Where_the_product_looks_itself_it_asks_once_and_reads_nothing()
    {
        using var agent = new AgentProcess(product);
        Write(agent);
        agent.Start();
        await Until.True("beats", () => product.Beats.Count >= 4);
        Assert.Equal(new HostStateReport(null, null, null), Assert.Single(product.States));
    }

    private (string? AsOf, ReportedConfiguration Configuration) Last() => (product.States.Last().AsOf, product.States.Last().Configurations!.Single()!);

    private static string Config(AgentProcess agent) => Path.Combine(agent.Folder, "..", "dns", "config");

    private string Write(AgentProcess agent)
    {
        var digest = ComponentConfiguration.DigestOf(files);
        foreach (var (name, content) in files)
        {
            var path = Path.Combine(Config(agent), digest, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }

        File.CreateSymbolicLink(Path.Combine(Config(agent), "current"), digest);
        File.CreateSymbolicLink(Path.Combine(Config(agent), "knot.conf"), "current/knot.conf");
        Directory.CreateDirectory(Path.Combine(Config(agent), "zones"));
        return digest;
    }
}
