using ManagedServers.Engine.Child;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine.Tests;

/// <summary>A node in this process, on a real database, with waits shortened where a test would otherwise sit through them.</summary>
public sealed class TestNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly IHost host;
    private bool stopped;

    private TestNode(IHost host, string database, Actors actors) => (this.host, ConnectionString, Actors) = (host, database, actors);

    public string ConnectionString { get; }

    public Actors Actors { get; }

    public IRuns Runs => host.Services.GetRequiredService<IRuns>();

    public NpgsqlDataSource Database => host.Services.GetRequiredService<NpgsqlDataSource>();

    public IServiceProvider Services => host.Services;

    public static async Task<TestNode> Start(
        Actors? actors = null, string? database = null, Action<EngineOptions>? options = null, Action<IServiceCollection>? services = null)
    {
        database ??= await TestPostgres.Database();
        actors ??= new Actors();
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole();
        builder.Services.AddNpgsqlDataSourceFor(database).AddSingleton(actors);
        builder.Services.AddWorkflow<EffectsWorkflow>().AddWorkflow<WaveWorkflow>().AddWorkflow<ScheduledWorkflow>().AddWorkflow<ScriptedWorkflow, Script>().AddEngine(o =>
        {
            o.NodeName = "one";
            o.Workers = 4;
            o.StopGrace = TimeSpan.FromSeconds(2);
            o.LetGo = TimeSpan.FromSeconds(1);
            options?.Invoke(o);
        });
        services?.Invoke(builder.Services);
        var node = new TestNode(builder.Build(), database, actors);
        await node.host.StartAsync();
        return node;
    }

    public async Task<Guid> Begin(Script script, StartRun? start = null) =>
        (await Runs.Start<ScriptedWorkflow, Script>(script, start ?? new StartRun { RequestedBy = "ada" })).Id;

    public async Task<Guid> Begin(Effects effects) =>
        (await Runs.Start<EffectsWorkflow, Effects>(effects, new StartRun { RequestedBy = "ada" })).Id;

    public Task<Guid> Begin(params Spec[] steps) => Begin(new Script(steps));

    public Task<RunDetails> Ended(Guid id) => Until(id, r => r.State is RunState.Succeeded or RunState.Failed or RunState.Cancelled);

    public Task<RunDetails> Is(Guid id, RunState state) => Until(id, r => r.State == state);

    /// <summary>The run as soon as it is as it should be; fails with what it is instead.</summary>
    public async Task<RunDetails> Until(Guid id, Func<RunDetails, bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        RunDetails? last = null;
        await foreach (var _ in Runs.Watch(id, patience.Token))
        {
            last = await Runs.Get(id, CancellationToken.None);
            if (last is not null && holds(last))
            {
                return last;
            }
        }

        throw new Xunit.Sdk.XunitException($"After {Patience} the run is {last?.State}: {last?.Reason}; {last?.StepsDone} of {last?.StepsTotal} steps done, the next: {string.Join(", ", last?.Steps.Where(s => s.State != StepState.Succeeded).Take(10).Select(s => $"{s.Name} {s.State}") ?? [])}");
    }

    /// <summary>When no run is queued, running or waiting any more; for more runs than one would watch.</summary>
    public async Task NoneLeft(TimeSpan patience)
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        while ((await Runs.List(new RunFilter { States = [RunState.Queued, RunState.Running, RunState.Waiting], Limit = 1 })) is [var left])
        {
            Assert.True(since.Elapsed < patience, $"After {patience} run {left.Id} is still {left.State}: {left.Reason}");
            await Task.Delay(100);
        }
    }

    public async Task Stop()
    {
        stopped = true;
        await host.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!stopped)
        {
            await Stop();
        }

        host.Dispose();
    }
}

internal static class DataSourceRegistration
{
    public static IServiceCollection AddNpgsqlDataSourceFor(this IServiceCollection services, string connectionString) =>
        services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
}
