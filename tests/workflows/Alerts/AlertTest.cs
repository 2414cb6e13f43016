using Dapper;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Routes;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using ManagedServers.Workflows.Tests.Monitoring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace ManagedServers.Workflows.Tests.Alerts;

/// <summary>Rules, servers that beat, and evaluations when the test says so, on a database of its own and with a clock that the test sets.</summary>
[Collection(WithDatabase.Name)]
public abstract class AlertTest(Database database) : IAsyncLifetime
{
    protected static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly string folder = Directory.CreateTempSubdirectory("alerts-").FullName;
    private readonly Dictionary<Guid, long> beats = [];
    private Microsoft.Extensions.Hosting.IHost host = null!;

    protected FakeTimeProvider Time { get; } = new(Noon);
    protected NpgsqlDataSource Source { get; private set; } = null!;
    protected AlertEvaluation Evaluation => Get<AlertEvaluation>();
    protected AlertRules Rules => Get<AlertRules>();

    public virtual async Task InitializeAsync()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        Source = await database.Fresh();
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        var key = await MasterKey.Open(Path.Combine(folder, "master.key"), Source, CancellationToken.None);
        builder.Services.AddLogging().AddSingleton(Source).AddSingleton<TimeProvider>(Time).AddSettings(key).AddAccess().AddHosts().AddRoutes().AddServers().AddMonitoring().AddAlertRules();
        host = builder.Build();
        await host.StartAsync();
    }

    public virtual async Task DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
        await Source.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    protected T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();

    /// <summary>A server with DNS and its monitor installed.</summary>
    protected async Task<Guid> Server(string name, params string[] components)
    {
        var servers = Get<Workflows.Servers.Servers>();
        var server = await (await servers.Add(new AddServer { Name = name, Installation = InstallationType.Manual }, "op")).Make();
        await servers.SetInstalled(server.Id, [.. (components.Length > 0 ? components : ["dns", "monitor"]).Select(c => new InstalledComponent(c, "1", "image", null))], CancellationToken.None);
        return server.Id;
    }

    /// <summary>A beat as from a host where all is well, with what the test wants otherwise.</summary>
    protected async Task Beat(Guid server, Func<Heartbeat, Heartbeat>? with = null, string? epoch = null)
    {
        var (now, seq) = (Time.GetUtcNow(), beats[server] = beats.GetValueOrDefault(server) + 1);
        var well = new Heartbeat
        {
            Seq = seq, SentAt = now, AgentVersion = "1", UptimeSeconds = 10_000 + seq * 30, Load = [0.1, 0.1, 0.1], Memory = new MemoryUse(1000, 500), Disks = [new DiskUse("/", 1000, 100, 100, 1)],
            Docker = new DockerReport("running", "20"), Components = [new ComponentReport("dns", "1", "running", "i"), new ComponentReport("monitor", "1", "running", "i")],
            Network = [new NetworkUse("eth0", seq * 3000, seq * 3000)],
        };
        await Get<Ingestion>().Accept(server, new HeartbeatReport { Epoch = epoch ?? Reports.Epoch, Now = now, Beats = [(with ?? (b => b))(well)] });
    }

    protected Task Dns(Guid server) => Get<Ingestion>().Accept(server, Reports.Dns(Time.GetUtcNow(), Reports.Sample(Time.GetUtcNow().ToUnixTimeSeconds(), Time.GetUtcNow(), ("www.example.org.", "A", 1))));

    /// <summary>The product has evaluated long enough to know who is silent: every server beats meanwhile, but those that are told not to.</summary>
    protected async Task Minutes(double minutes, Func<Task>? each = null)
    {
        for (var step = 0; step < minutes * 2; step++)
        {
            Time.Advance(TimeSpan.FromSeconds(30));
            await (each?.Invoke() ?? Task.CompletedTask);
            Assert.NotNull(await Evaluation.Evaluate());
        }
    }

    protected async Task Only(AlertRuleRequest rule)
    {
        await using var connection = await Source.OpenConnectionAsync();
        await connection.ExecuteAsync("delete from alerts.rule");
        await (await Rules.Add(rule, "op")).Make();
    }

    protected async Task<IReadOnlyList<string>> Alerts(AlertState? state = null) =>
        [.. (await Get<AlertList>().List(new AlertFilter { State = state, Limit = 1000 })).Select(a => $"{a.State} {a.Rule} {a.Server} {a.Label}".TrimEnd()).Order(StringComparer.Ordinal)];

    protected static Heartbeat Disk(Heartbeat beat, long percent, string mount = "/") => beat with { Disks = [new DiskUse(mount, 1000, percent * 10, 100, 1)] };
}
