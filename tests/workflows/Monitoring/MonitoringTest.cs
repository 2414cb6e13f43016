using System.Text.Json.Nodes;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace ManagedServers.Workflows.Tests.Monitoring;

/// <summary>The feature as the product runs it, on a database of its own and with a clock that the test sets.</summary>
[Collection(WithDatabase.Name)]
public abstract class MonitoringTest(Database database) : IAsyncLifetime
{
    protected static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private IHost? host;

    protected FakeTimeProvider Time { get; } = new(Noon);
    protected NpgsqlDataSource Source { get; private set; } = null!;
    protected Guid Server { get; } = Guid.CreateVersion7();
    protected Ingestion Ingestion => Get<Ingestion>();
    protected Heartbeats Heartbeats => Get<Heartbeats>();
    protected Hits Hits => Get<Hits>();
    protected ProductSettings Settings => Get<ProductSettings>();

    /// <summary>What a class wants otherwise.</summary>
    protected virtual MonitoringOptions Options => new();

    public virtual async Task InitializeAsync()
    {
        Source = await database.Fresh();
        await Start();
    }

    public virtual async Task DisposeAsync()
    {
        await Stop();
        await Source.DisposeAsync();
    }

    protected async Task Start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging().AddSingleton(Source).AddSingleton<TimeProvider>(Time).AddMonitoring(Options);
        host = builder.Build();
        await host.StartAsync();
    }

    protected async Task Stop()
    {
        if (host is not null)
        {
            await host.StopAsync();
            // Not the data source: the container owns only what it made.
            host.Dispose();
            host = null;
        }
    }

    /// <summary>Set as from another node: this one has read it when it is started again.</summary>
    protected async Task Set(string module, string change)
    {
        await (await Settings.Change(module, JsonNode.Parse(change), null, "admin")).Make();
        await Stop();
        await Start();
    }

    protected T Get<T>() where T : notnull => host!.Services.GetRequiredService<T>();
}
