using Dapper;
using ManagedServers.Bench.Setup;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Bench.Monitoring;

/// <summary>The monitoring part of the product with its defaults, on a database of its own.</summary>
internal sealed class MonitoringNode : IAsyncDisposable
{
    private readonly IHost host;

    private MonitoringNode(IHost host, string connection) => (this.host, Connection) = (host, connection);

    public string Connection { get; }

    public NpgsqlDataSource Database => Get<NpgsqlDataSource>();

    public static async Task<MonitoringNode> Start(BenchPostgres postgres)
    {
        var connection = await postgres.NewDatabase();
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(connection)).AddMonitoring();
        var node = new MonitoringNode(builder.Build(), connection);
        await Migrator.Apply(node.Database, typeof(Ingestion).Assembly);
        await node.host.StartAsync();
        return node;
    }

    public T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();

    /// <summary>Bytes of the partitions of a table, with their indexes.</summary>
    public async Task<long> Size(string table)
    {
        await using var connection = await Database.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>(
            "select coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint from pg_inherits where inhparent = ('monitoring.' || @table)::regclass", new { table });
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}
