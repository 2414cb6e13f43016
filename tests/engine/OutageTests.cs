using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Dapper;
using ManagedServers.Tests;
using Npgsql;

namespace ManagedServers.Engine.Tests;

public sealed class OutageTests
{
    [Fact]
    [Trait("Category", Chaos.Category)]
    public async Task A_restart_of_PostgreSQL_in_the_middle_of_runs_changes_nothing_of_their_outcome()
    {
        await using var postgres = await TestPostgres.Start(FreePort.On(IPAddress.Any).Port);
        var begun = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        var actors = new Actors().On("a", async step => { step.Log("before"); begun.TrySetResult(); await go.Task; step.Log("after"); });
        await using var node = await TestNode.Start(actors, await postgres.NewDatabase());
        var id = await node.Begin("a", "b", "c");
        await begun.Task;

        using var restart = Process.Start("docker", ["restart", "--time", "5", postgres.ContainerId]);
        go.SetResult();
        await restart.WaitForExitAsync();

        var run = await Eventually(node, id);
        Assert.Equal((RunState.Succeeded, 0), (run.State, run.Recoveries));
        Assert.Equal(["a", "b", "c"], node.Actors.Calls);
        Assert.Equal(["before", "after"], (await node.Runs.Log(id)).Select(l => l.Message));
        Assert.Equal(RunState.Succeeded, (await node.Ended(await node.Begin("d"))).State);
    }

    [Fact]
    [Trait("Category", Chaos.Category)]
    public async Task A_database_that_is_away_for_longer_than_the_lease_costs_an_attempt_and_not_the_run()
    {
        await using var postgres = await TestPostgres.Start(FreePort.On(IPAddress.Any).Port);
        var begun = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        var actors = new Actors().On("a", async step =>
        {
            if (step.Attempt == 1)
            {
                begun.TrySetResult();
                await Task.Delay(Timeout.Infinite, step.Cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancelled.SetResult();
                step.Cancellation.ThrowIfCancellationRequested();
            }
        });
        await using var node = await TestNode.Start(actors, await postgres.NewDatabase(), o =>
            (o.Lease, o.SelfFencing, o.LeaseRenewal) = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(0.5)));
        var id = await node.Begin("a", "b");
        await begun.Task;

        await Docker("pause", postgres.ContainerId);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await Docker("unpause", postgres.ContainerId);

        var run = await Eventually(node, id);
        Assert.Equal((RunState.Succeeded, 1), (run.State, run.Recoveries));
        Assert.Equal(["a", "a", "b"], node.Actors.Calls);
        Assert.Equal(2, run.Steps[0].Attempts);
    }

    [Fact]
    [Trait("Category", Chaos.Category)]
    public async Task When_the_connection_that_listens_is_cut_watchers_and_cancels_still_get_through()
    {
        var begun = new TaskCompletionSource();
        var actors = new Actors().On("a", async step => { begun.SetResult(); await Task.Delay(Timeout.Infinite, step.Cancellation); });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a");
        await begun.Task;
        using var cutting = new CancellationTokenSource();
        var cut = Task.Run(async () =>
        {
            await using var connection = new NpgsqlConnection(node.ConnectionString);
            while (!cutting.IsCancellationRequested)
            {
                await connection.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'engine listen' and datname = current_database()");
            }
        });

        await node.Runs.Cancel(id, CancelMode.Stop, "ada");
        var asked = Stopwatch.GetTimestamp();
        var run = await node.Ended(id);

        Assert.Equal(RunState.Cancelled, run.State);
        Assert.True(Stopwatch.GetElapsedTime(asked) < TimeSpan.FromSeconds(Chaos.Full ? 5 : 11), "late by 5 s at most; the short form leaves room for a noisy machine");
        await cutting.CancelAsync();
        await cut;
    }

    [Fact]
    [Trait("Category", Chaos.Category)]
    public async Task Many_runs_end_as_they_would_have_through_outages_and_restarts_of_PostgreSQL()
    {
        await using var postgres = await TestPostgres.Start(FreePort.On(IPAddress.Any).Port);
        var calls = new ConcurrentDictionary<(Guid Run, int Seq, int Attempt), int>();
        var actors = new Actors();
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            actors.On(name, async step =>
            {
                calls.AddOrUpdate((step.RunId, step.Seq, step.Attempt), 1, (_, n) => n + 1);
                step.Log("at work");
                await Task.Delay(50, step.Cancellation);
            });
        }

        await using var node = await TestNode.Start(actors, await postgres.NewDatabase(), o => o.Workers = 8);
        var ids = new List<Guid>();
        foreach (var seconds in Chaos.Full ? new[] { 0, 30, 0, 5, 0 } : [0, 5])
        {
            ids.AddRange(await Task.WhenAll(Enumerable.Range(0, Chaos.Of(20, 100)).Select(_ => node.Begin("a", "b", "c", "d"))));
            await Fail(postgres, seconds);
            await DatabaseIsBack(node);
        }

        await node.NoneLeft(TimeSpan.FromMinutes(Chaos.Of(2, 5)));
        foreach (var id in ids)
        {
            Assert.Equal(RunState.Succeeded, (await node.Runs.Get(id))!.State);
            await JournalCheck.Holds(node.Database, id, 4, effects: false);
        }

        Assert.All(calls, c => Assert.Equal(1, c.Value));
    }

    /// <summary>0: a restart; otherwise silent for so many seconds.</summary>
    private static async Task Fail(TestPostgres postgres, int seconds)
    {
        if (seconds == 0)
        {
            await Docker("restart", "--time", "5", postgres.ContainerId);
            return;
        }

        await Docker("pause", postgres.ContainerId);
        await Task.Delay(TimeSpan.FromSeconds(seconds)); // the time without a database is what is tested
        await Docker("unpause", postgres.ContainerId);
    }

    private static async Task DatabaseIsBack(TestNode node)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await node.Runs.List(new RunFilter { Limit = 1 });
                return;
            }
            catch (Exception fault) when (TransientFault.Is(fault) && patience.Elapsed < TimeSpan.FromSeconds(40))
            {
                await Task.Delay(100);
            }
        }
    }

    private static async Task<RunDetails> Eventually(TestNode node, Guid id)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await node.Ended(id);
            }
            catch (Exception fault) when (TransientFault.Is(fault) && patience.Elapsed < TimeSpan.FromSeconds(40))
            {
                await Task.Delay(100); // the database is not back yet
            }
        }
    }

    private static async Task Docker(params string[] arguments)
    {
        // The kernel does not always freeze a busy container in the time that runc gives it; it is thawed then.
        var tries = arguments is ["pause", ..] ? 10 : 1;
        for (var exitCode = -1; exitCode != 0; tries--)
        {
            Assert.True(tries > 0, $"docker {string.Join(' ', arguments)} ended with {exitCode}");
            using var docker = Process.Start("docker", arguments);
            await docker.WaitForExitAsync();
            exitCode = docker.ExitCode;
        }
    }
}
