using System.Collections.Concurrent;
using System.Diagnostics;
using Hangfire;
using ManagedServers.Bench.Setup;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Bench.Reference;

/// <summary>Hangfire alone: the engine's own storage options, but with commits that reach the disk, since its jobs are all it has; 16 workers, a static job that does nothing.</summary>
internal sealed class BareHangfire : IAsyncDisposable
{
    public const string Name = "bare Hangfire";

    private readonly NpgsqlDataSource source;
    private readonly EngineDatabase database;
    private readonly HangfireStorage storage;
    private BackgroundJobServer? server;

    public BareHangfire(string connectionString)
    {
        source = NpgsqlDataSource.Create(connectionString);
        database = new EngineDatabase(source);
        storage = new HangfireStorage(database, new EngineOptions(), waitsForDisk: true);
        Client = new BackgroundJobClient(storage.Storage);
    }

    public BackgroundJobClient Client { get; }

    public void StartServer(int workers = 16) =>
        server = new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = workers, SchedulePollingInterval = TimeSpan.FromSeconds(1), StopTimeout = TimeSpan.Zero }, storage.Storage);

    /// <summary>Enqueues so many jobs and gives jobs/s.</summary>
    public async Task<double> Enqueue(int jobs, int callers)
    {
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, jobs, new ParallelOptions { MaxDegreeOfParallelism = callers }, (_, _) =>
        {
            Client.Enqueue(() => BareJob.Nothing());
            return ValueTask.CompletedTask;
        });
        return jobs / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Jobs/s from the first body to the last, of jobs enqueued before the workers start.</summary>
    public async Task<double> Drain(int jobs)
    {
        await Enqueue(jobs, 8);
        BareJob.Expect(jobs);
        StartServer();
        return await BareJob.Rate();
    }

    /// <summary>From enqueue to body, in this process.</summary>
    public async Task<double> Latency()
    {
        var id = Guid.NewGuid();
        var asked = Stopwatch.GetTimestamp();
        Client.Enqueue(() => BareJob.Note(id));
        return Stopwatch.GetElapsedTime(asked, await BareJob.Noted(id)).TotalMilliseconds;
    }

    /// <summary>A server as a process of its own.</summary>
    public static async Task Serve(string connectionString)
    {
        await using var hangfire = new BareHangfire(connectionString);
        hangfire.StartServer(4);
        Console.WriteLine("ready");
        await Task.Delay(Timeout.Infinite);
    }

    public ValueTask DisposeAsync()
    {
        server?.Dispose();
        storage.Dispose();
        return DisposeBoth();
    }

    private async ValueTask DisposeBoth()
    {
        await database.DisposeAsync();
        await source.DisposeAsync();
    }
}

/// <summary>The jobs.</summary>
public static class BareJob
{
    private static readonly ConcurrentDictionary<Guid, TaskCompletionSource<long>> Moments = new();
    private static TaskCompletionSource all = new();
    private static int left;
    private static int jobs;
    private static long first;
    private static long last;

    internal static void Expect(int count)
    {
        (left, jobs, first) = (count, count, 0);
        all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    internal static async Task<double> Rate()
    {
        await all.Task;
        return jobs / Stopwatch.GetElapsedTime(first, last).TotalSeconds;
    }

    internal static Task<long> Noted(Guid id) => BenchStep.Of(Moments, id).Task;

    public static void Nothing()
    {
        Interlocked.CompareExchange(ref first, Stopwatch.GetTimestamp(), 0);
        if (Interlocked.Decrement(ref left) == 0)
        {
            last = Stopwatch.GetTimestamp();
            all.SetResult();
        }
    }

    public static void Note(Guid id) => BenchStep.Of(Moments, id).TrySetResult(Stopwatch.GetTimestamp());

    public static async Task Wait()
    {
        Console.WriteLine("begun");
        await Task.Delay(Timeout.Infinite);
    }
}
