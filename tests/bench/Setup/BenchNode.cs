using ManagedServers.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Bench.Setup;

/// <summary>A node of the engine with its defaults, in this process or in one of its own.</summary>
internal sealed class BenchNode : IAsyncDisposable
{
    private readonly IHost host;

    private BenchNode(IHost host) => this.host = host;

    public IRuns Runs => host.Services.GetRequiredService<IRuns>();

    public NpgsqlDataSource Database => host.Services.GetRequiredService<NpgsqlDataSource>();

    public HangfireStorage Hangfire => host.Services.GetRequiredService<HangfireStorage>();

    public static async Task<BenchNode> Start(string database, string name, int workers = 16)
    {
        var node = new BenchNode(Build(database, name, workers));
        await node.host.StartAsync();
        return node;
    }

    /// <summary>The process's whole life: says what its steps do on standard output.</summary>
    public static async Task Serve(string database, string name)
    {
        BenchStep.Said = Console.WriteLine;
        using var host = Build(database, name, 4);
        await host.StartAsync();
        Console.WriteLine("ready");
        await host.WaitForShutdownAsync();
    }

    public async Task<Guid> Begin(BenchInput input) =>
        (await Runs.Start<BenchWorkflow, BenchInput>(input, new StartRun { RequestedBy = "bench", Subject = input.Subject })).Id;

    /// <summary>When no run is under way any more; asks seldom, so that asking costs nothing.</summary>
    public async Task AllEnded()
    {
        await using var ask = Database.CreateCommand("select exists (select from engine.run where state in ('queued', 'running', 'waiting'))");
        while ((bool)(await ask.ExecuteScalarAsync())!)
        {
            await Task.Delay(50);
        }
    }

    public async Task<T> Ask<T>(string sql)
    {
        await using var ask = Database.CreateCommand(sql);
        return (T)(await ask.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }

    private static IHost Build(string database, string name, int workers)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(database));
        builder.Services.AddWorkflow<BenchWorkflow>().AddEngine(o => (o.NodeName, o.Workers) = (name, workers));
        return builder.Build();
    }
}
