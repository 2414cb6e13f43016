using Dapper;
using ManagedServers.Engine;
using ManagedServers.Lab;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Alerts;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Routes;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using ManagedServers.Workflows.Tests.Monitoring;
using ManagedServers.Workflows.Tests.Payload;
using ManagedServers.Workflows.Tests.RabbitMq;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace ManagedServers.Workflows.Tests.Alerts;

/// <summary>A node with its engine, in real time; evaluations are made when the test says so, by a clock that it sets.</summary>
internal sealed class NotifyHouse : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("notify-").FullName;
    private readonly Microsoft.Extensions.Hosting.IHost node;
    private readonly Dictionary<string, (Guid Id, long Seq)> servers = [];

    private NotifyHouse(Microsoft.Extensions.Hosting.IHost node, NpgsqlDataSource source) => (this.node, Source) = (node, source);

    public NpgsqlDataSource Source { get; }

    public FakeTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());

    public AlertEvaluation Evaluation => new(Source, Get<CurrentMonitoring>(), Get<MonitoringOptions>(), Get<ProductSettings>(), Time, NullLogger<AlertEvaluation>.Instance);

    public AlertChannels Channels => Get<AlertChannels>();

    public static async Task<NotifyHouse> Of(Database database)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        var source = await database.Fresh();
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        var keys = Directory.CreateTempSubdirectory("notify-key-").FullName;
        var key = await MasterKey.Open(Path.Combine(keys, "master.key"), source, CancellationToken.None);
        Directory.Delete(keys, recursive: true);
        builder.Services.AddLogging().AddSingleton(source).AddSingleton(TimeProvider.System).AddSettings(key).AddAccess().AddHosts().AddRoutes().AddServers();
        builder.Services.AddEngine(engine => (engine.NodeName, engine.Workers) = ("house", 4)).AddWorkflow<NotifyWorkflow>();
        builder.Services.AddMonitoring().AddRabbitMq(new RabbitMqOptions { Node = "house" }).AddAlerts();
        // The test evaluates.
        foreach (var service in builder.Services.Where(s => s.ImplementationType == typeof(AlertService)).ToList())
        {
            builder.Services.Remove(service);
        }

        var house = new NotifyHouse(builder.Build(), source);
        await house.node.StartAsync();
        await using var connection = await source.OpenConnectionAsync();
        await connection.ExecuteAsync("delete from alerts.rule");
        await (await house.Get<AlertRules>().Add(new AlertRuleRequest
        {
            Name = "full", Kind = AlertKind.Threshold, Metric = "disk.used", Of = "disk.total", Comparison = AlertComparison.Above, Value = 0.9, ForSeconds = 0, Severity = AlertSeverity.Critical,
        }, "op")).Make();
        return house;
    }

    public T Get<T>() where T : notnull => node.Services.GetRequiredService<T>();

    public async Task<Guid> Server(string name)
    {
        var all = Get<Workflows.Servers.Servers>();
        var server = await (await all.Add(new AddServer { Name = name, Installation = InstallationType.Manual }, "op")).Make();
        await all.SetInstalled(server.Id, [new InstalledComponent("dns", "1", "image", null)], CancellationToken.None);
        servers[name] = (server.Id, 0);
        return server.Id;
    }

    /// <summary>Each server says how full its disk is, and it is looked at.</summary>
    public async Task<EvaluationResult> Evaluate(params (string Server, int Percent)[] disks)
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (name, percent) in disks)
        {
            var (id, seq) = servers[name] = (servers[name].Id, servers[name].Seq + 1);
            await Get<Ingestion>().Accept(id, new HeartbeatReport { Epoch = Reports.Epoch, Now = now, Beats = [new Heartbeat { Seq = seq, SentAt = now, Disks = [new DiskUse("/", 100, percent, 1, 1)] }] });
        }

        await using (var connection = await Source.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("update alerts.evaluation set evaluated_at = null");
        }

        return (await Evaluation.Evaluate())!;
    }

    public async Task<EvaluationResult> EvaluateAndTell(params (string Server, int Percent)[] disks)
    {
        var result = await Evaluate(disks);
        await Get<NotificationRuns>().Start();
        return result;
    }

    public async Task<AlertChannel> Add(ChannelRequest request) => await (await Channels.Add(request, "op")).Make();

    /// <summary>Runs of the messages, when all of them have ended.</summary>
    public async Task<IReadOnlyList<RunSummary>> Runs(int count)
    {
        IReadOnlyList<RunSummary> all = [];
        await Until.True($"{count} messages have been dealt with", async () =>
            (all = await Get<IRuns>().List(new RunFilter { Kind = NotifyWorkflow.Kind })).Count(r => r.State is RunState.Succeeded or RunState.Failed) == count, seconds: 60);
        return all;
    }

    public async ValueTask DisposeAsync()
    {
        await node.StopAsync();
        node.Dispose();
        await Source.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>One mail server for all tests of this project, started with the first that asks for it.</summary>
public sealed class SharedMail : IAsyncLifetime
{
    private readonly Lazy<Task<LabMail>> started = new(() => LabMail.Start());

    public async Task<LabMail> Start() => await started.Value;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (started.IsValueCreated)
        {
            await (await started.Value).DisposeAsync();
        }
    }
}
