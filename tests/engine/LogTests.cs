using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine.Tests;

public sealed class LogTests
{
    [Fact]
    public async Task The_log_of_a_run_is_numbered_without_a_gap_and_read_by_cursor()
    {
        var next = new TaskCompletionSource();
        var actors = new Actors();
        foreach (var name in new[] { "a", "b" })
        {
            actors.On(name, step =>
            {
                for (var n = 0; n < 450; n++)
                {
                    step.Log($"{name} {n}", n == 0 ? LogLevel.Warning : LogLevel.Information);
                }

                return name == "a" ? Task.CompletedTask : next.Task;
            });
        }

        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a", "b");
        await node.Until(id, r => r.Steps[0].State == StepState.Succeeded);
        Assert.True((await node.Runs.Log(id)).Count >= 450, "who sees that a step has ended sees all that it said");
        next.SetResult();
        var run = await node.Ended(id);

        var all = await node.Runs.Log(run.Id);
        Assert.Equal(Enumerable.Range(1, 900).Select(n => (long)n), all.Select(l => l.Seq));
        Assert.Equal(((2, "b 0"), LogLevel.Warning), ((all[450].StepSeq, all[450].Message), all[450].Level));
        Assert.Equal(["b 448", "b 449"], (await node.Runs.Log(run.Id, 898, 10)).Select(l => l.Message));
        Assert.Equal([11L, 12L], (await node.Runs.Log(run.Id, 10, 2)).Select(l => l.Seq));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lines_whose_first_sending_was_committed_without_an_answer_are_kept_once(bool committedMeanwhile)
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task));
        var id = await node.Begin("a");
        await node.Until(id, r => r.Steps[0].State == StepState.Running);
        await using var first = await node.Database.OpenConnectionAsync();
        var fence = await first.ExecuteScalarAsync<long>("select fence from engine.run where id = @id", new { id });
        var time = new Standstill();
        await using var sending = await first.BeginTransactionAsync();
        await first.ExecuteAsync("""
            update engine.run set log_seq = 3 where id = @id;
            insert into engine.log select @id, n, @at, 1, 2, 'line ' || n from generate_series(1, 3) n
            """, new { id, at = time.GetUtcNow() }, sending);
        if (!committedMeanwhile)
        {
            await sending.CommitAsync();
        }

        using var log = new RunLog(Claimed(id, fence, time.GetUtcNow()), node.Database, node.Services.GetRequiredService<Text>(), time, () => { });
        foreach (var n in Enumerable.Range(1, 5))
        {
            log.Write(1, LogLevel.Information, $"line {n}");
        }

        var flushed = log.Flush();
        if (committedMeanwhile)
        {
            await using var looking = await node.Database.OpenConnectionAsync();
            while (!flushed.IsCompleted && !await looking.ExecuteScalarAsync<bool>(
                "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"))
            {
                await Task.Delay(20);
            }

            await sending.CommitAsync();
        }

        await flushed;
        Assert.Equal(Enumerable.Range(1, 5).Select(n => ((long)n, $"line {n}")), (await node.Runs.Log(id)).Select(l => (l.Seq, l.Message)));
        go.SetResult();
    }

    [Fact]
    public async Task A_turn_of_a_run_whose_journalling_was_repeated_after_a_lost_answer_is_audited_once()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task));
        var id = await node.Begin("a");
        await node.Until(id, r => r.Steps[0].State == StepState.Running);
        await using var connection = await node.Database.OpenConnectionAsync();
        var fence = await connection.ExecuteScalarAsync<long>("select fence from engine.run where id = @id", new { id });
        using var log = new RunLog(Claimed(id, fence, TimeProvider.System.GetUtcNow()), node.Database, node.Services.GetRequiredService<Text>(), TimeProvider.System, () => { });
        using var run = new LiveRun(id, fence, log, 0);

        foreach (var _ in new[] { "sent", "and sent again" })
        {
            Assert.True((await node.Services.GetRequiredService<Journal>().Advance(
                run, new Position { Direction = 1, Cursor = 1, Done = 0, Changed = 0 }, null, null, null, new Note("undoing", "It failed."))).Ours);
        }

        Assert.Single((await node.Runs.Get(id))!.Events, e => e.What == "undoing");
        go.SetResult();
    }

    [Fact]
    public async Task Lines_and_progress_are_seen_while_the_step_runs_and_progress_is_gone_afterwards()
    {
        var go = new TaskCompletionSource();
        var actors = new Actors().On("a", async step =>
        {
            step.Log("under way");
            step.Progress(1.7, "clamped");
            step.Progress(0.5, "6 of 12 MB");
            await go.Task;
        });
        await using var node = await TestNode.Start(actors);
        var id = await node.Begin("a");

        var during = await node.Until(id, r => r.Steps[0].Progress is not null);
        Assert.Equal((0.5, "6 of 12 MB"), (during.Steps[0].Progress, during.Steps[0].ProgressNote));
        Assert.Equal("under way", (await node.Runs.Log(id)).Single().Message);
        Assert.Equal("one", during.Node);
        go.SetResult();

        Assert.Null((await node.Ended(id)).Steps[0].Progress);
    }

    [Fact]
    public async Task Secrets_are_removed_before_anything_is_written()
    {
        var actors = new Actors().On("a", (step, told) =>
        {
            step.Log("password hunter2 used");
            step.Changed("set hunter2");
            step.Progress(0.1, "hunter2");
            return Task.FromResult(told.Payload);
        }).On("b", _ => throw new StepRejectedException("refused hunter2"));
        await using var node = await TestNode.Start(actors, services: s => s.AddSingleton<IRedactor, Hunter>());

        var id = await node.Begin(new Script([new Spec("a") { Payload = "an id" }, "b"]));
        await node.Is(id, RunState.Paused);
        await node.Runs.Cancel(id, CancelMode.Stop, "ada", "hunter2 was wrong");

        await using var connection = await node.Database.OpenConnectionAsync();
        var written = string.Join('\n', await Dapper.SqlMapper.QueryAsync<string>(connection, """
            select r::text from engine.run r union all select s::text from engine.step s union all select l::text from engine.log l
            union all select e::text from engine.event e union all select p::text from engine.progress p union all select arguments::text from hangfire.job
            """));
        Assert.DoesNotContain("hunter2", written, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_word_that_happens_to_be_a_secret_is_the_same_word_in_what_is_executed()
    {
        await using var node = await TestNode.Start(new Actors().On("a", (_, told) => Task.FromResult(told.Payload)).On("b", (_, told) => Task.FromResult(told.Payload)),
            services: s => s.AddSingleton<IRedactor, Hunter>());

        var run = await node.Ended(await node.Begin(new Spec("a") { Payload = "hunter2.example.org" }, new Spec("b") { Needs = "a" }));

        Assert.Equal("hunter2.example.org", run.Steps[1].Output!.Value.GetString());
    }

    [Fact]
    public async Task A_redactor_that_fails_lets_nothing_through()
    {
        var actors = new Actors().On("a", step => { step.Log("secret"); return Task.CompletedTask; });
        await using var node = await TestNode.Start(actors, services: s => s.AddSingleton<IRedactor, Broken>());

        var run = await node.Until(await node.Begin("a"), r => r.State is RunState.Paused or RunState.Succeeded);

        Assert.Equal("[left out: the redactor failed with NotSupportedException]", (await node.Runs.Log(run.Id))[0].Message);
    }

    [Fact]
    public async Task Watching_all_runs_names_those_that_changed()
    {
        await using var node = await TestNode.Start();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await using var watch = node.Runs.WatchAll(patience.Token).GetAsyncEnumerator(patience.Token);
        await watch.MoveNextAsync();
        Assert.Equal(Guid.Empty, watch.Current);

        var id = await node.Begin("a");

        while (watch.Current != id)
        {
            Assert.True(await watch.MoveNextAsync());
        }
    }

    [Fact]
    public async Task A_node_whose_clock_is_years_ahead_keeps_its_lines_by_the_databases_and_drops_no_days_of_others()
    {
        await using var node = await TestNode.Start(new Actors().On("a", step => { step.Log("said"); return Task.CompletedTask; }), services: s => s.AddSingleton<TimeProvider, YearsAhead>());
        await using var other = await TestNode.Start(database: node.ConnectionString, options: o => o.Workers = 0);
        var run = await node.Ended(await node.Begin("a"));

        await ActivatorUtilities.CreateInstance<Housekeeping>(node.Services).Keep();

        var line = Assert.Single(await other.Runs.Log(run.Id));
        Assert.InRange(line.At, run.StartedAt!.Value.AddSeconds(-1), run.FinishedAt!.Value.AddSeconds(1));
    }

    private static ClaimedRun Claimed(Guid id, long fence, DateTimeOffset at) => new()
    {
        Id = id, Kind = "scripted", Version = 1, Title = "a test", Plan = "", Input = "", RequestedBy = "ada", Priority = 0, Direction = 1, Cursor = 1, Fence = fence, IsFirst = true,
        LogSeq = 0, ClaimedAt = at, Worked = TimeSpan.Zero,
    };

    private sealed class YearsAhead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(1000);
    }

    /// <summary>A line that is sent again has the time that it had.</summary>
    private sealed class Standstill : TimeProvider
    {
        private readonly DateTimeOffset now = TimeProvider.System.GetUtcNow();

        public override DateTimeOffset GetUtcNow() => now;

        public override long GetTimestamp() => 1;
    }

    private sealed class Hunter : IRedactor
    {
        public string Redact(string text) => text.Replace("hunter2", "***", StringComparison.Ordinal);
    }

    private sealed class Broken : IRedactor
    {
        public string Redact(string text) => text == "secret" ? throw new NotSupportedException() : text;
    }
}
