using Dapper;

namespace ManagedServers.Engine.Tests;

public sealed class RunTests
{
    [Fact]
    public async Task A_run_executes_its_steps_in_order_and_hands_results_on()
    {
        await using var node = await TestNode.Start();
        var id = await node.Begin(new Spec("a") { Payload = "from a" }, new Spec("b") { Needs = "a" }, "c");

        var run = await node.Ended(id);

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(["a", "b", "c"], node.Actors.Calls);
        Assert.Equal("from a", run.Steps[1].Output!.Value.GetString());
        Assert.All(run.Steps, s => Assert.Equal((StepState.Succeeded, 1), (s.State, s.Attempts)));
        Assert.Equal((3, 3), (run.StepsDone, run.StepsTotal));
        Assert.Equal(["started", "claimed", "succeeded"], run.Events.Select(e => e.What));
        Assert.Null(run.Node);
        Assert.True(run.CreatedAt <= run.StartedAt && run.StartedAt <= run.FinishedAt);
    }

    [Fact]
    public async Task A_run_whose_steps_all_found_their_work_done_says_that_nothing_had_to_be_changed()
    {
        var actors = new Actors()
            .On("a", step => { step.Unchanged("is there"); return Task.CompletedTask; })
            .On("c", step => { step.Unchanged("runs"); return Task.CompletedTask; });
        await using var node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin("a", "b", "c"));

        Assert.Equal((RunState.Succeeded, "Nothing had to be changed.", 0), (run.State, run.Reason, run.StepsChanged));
        Assert.Equal((false, "is there"), (run.Steps[0].Changed, run.Steps[0].Summary));
    }

    [Fact]
    public async Task A_run_counts_the_steps_that_changed_something()
    {
        var actors = new Actors()
            .On("a", step => { step.Unchanged("first"); step.Changed("made it"); return Task.CompletedTask; })
            .On("b", step => { step.Unchanged("runs"); return Task.CompletedTask; });
        await using var node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin("a", "b"));

        Assert.Equal((RunState.Succeeded, null, 1), (run.State, run.Reason, run.StepsChanged));
        Assert.Equal((true, "made it"), (run.Steps[0].Changed, run.Steps[0].Summary));
    }

    [Fact]
    public async Task A_step_whose_condition_does_not_hold_is_skipped()
    {
        await using var node = await TestNode.Start();

        var run = await node.Ended(await node.Begin("a", new Spec("b") { When = false }, new Spec("c") { When = true }));

        Assert.Equal([StepState.Succeeded, StepState.Skipped, StepState.Succeeded], run.Steps.Select(s => s.State));
        Assert.Equal(["a", "c"], node.Actors.Calls);
        Assert.Equal(3, run.StepsDone);
    }

    [Fact]
    public async Task A_step_that_needs_the_result_of_a_skipped_one_pauses_with_that_reason()
    {
        await using var node = await TestNode.Start();

        var run = await node.Is(await node.Begin(new Spec("a") { When = false }, new Spec("b") { Needs = "a", Tries = 5 }), RunState.Paused);

        Assert.Contains("The result of step 1 'a' is needed, but that step was skipped", run.Reason, StringComparison.Ordinal);
        Assert.Equal(1, run.Steps[1].Attempts);
    }

    [Fact]
    public async Task A_second_start_with_the_same_dedupe_key_gives_the_first_run()
    {
        await using var node = await TestNode.Start();
        var start = new StartRun { RequestedBy = "ada", DedupeKey = "k1" };
        var starts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => node.Runs.Start<ScriptedWorkflow, Script>(new Script(["a"]), start)));

        await node.Ended(starts[0].Id);

        Assert.Single(starts.Select(s => s.Id).Distinct());
        Assert.Single(starts, s => !s.Existing);
        Assert.Single(node.Actors.Calls);
    }

    [Fact]
    public async Task The_callers_statements_and_the_run_are_committed_together_or_not_at_all()
    {
        await using var node = await TestNode.Start();
        await using var connection = await node.Database.OpenConnectionAsync();
        await connection.ExecuteAsync("create table mine (run uuid)");
        var start = new StartRun { RequestedBy = "ada", DedupeKey = "k" };

        await Assert.ThrowsAsync<InvalidOperationException>(() => node.Runs.Start<ScriptedWorkflow, Script>(new Script(["a"]), start, async (within, id) =>
        {
            await within.Connection!.ExecuteAsync("insert into mine values (@id)", new { id });
            throw new InvalidOperationException("no");
        }));
        Assert.Empty(await node.Runs.List(new RunFilter()));

        var started = await node.Runs.Start<ScriptedWorkflow, Script>(new Script(["a"]), start,
            (within, id) => within.Connection!.ExecuteAsync("insert into mine values (@id)", new { id }));
        await node.Runs.Start<ScriptedWorkflow, Script>(new Script(["a"]), start, (_, _) => throw new InvalidOperationException("not called for an existing run"));

        Assert.Equal([started.Id], await connection.QueryAsync<Guid>("select run from mine"));
    }

    [Fact]
    public async Task Runs_are_listed_newest_first_by_state_kind_and_subject_page_by_page()
    {
        await using var node = await TestNode.Start(new Actors().On("bad", _ => throw new StepRejectedException("no")));
        var ids = new List<Guid>();
        foreach (var (step, subject) in new[] { ("a", "server:1"), ("bad", "server:1"), ("a", "server:2") })
        {
            ids.Add(await node.Begin(new Script([step]), new StartRun { RequestedBy = "ada", Subject = subject }));
            await node.Until(ids[^1], r => r.State is RunState.Succeeded or RunState.Paused);
        }

        async Task<Guid[]> List(RunFilter filter) => [.. (await node.Runs.List(filter)).Select(r => r.Id)];

        Assert.Equal([ids[2], ids[1], ids[0]], await List(new RunFilter()));
        Assert.Equal([ids[1]], await List(new RunFilter { States = [RunState.Paused, RunState.Failed] }));
        Assert.Equal([ids[1], ids[0]], await List(new RunFilter { Subject = "server:1" }));
        Assert.Equal([ids[1]], await List(new RunFilter { Limit = 1, Before = ids[2], Kind = "scripted" }));
        Assert.Empty(await List(new RunFilter { Kind = "other" }));
        await Assert.ThrowsAsync<ArgumentException>(() => List(new RunFilter { Limit = 201 }));
    }

    [Fact]
    public async Task A_title_becomes_one_line_of_at_most_200_characters()
    {
        await using var node = await TestNode.Start();

        var run = await node.Ended(await node.Begin(new Script(["a"]) { Title = "two\nlines \0 " + new string('x', 10_000) }));

        Assert.StartsWith("two lines", run.Title, StringComparison.Ordinal);
        Assert.True(run.Title.Length <= 200 && !run.Title.Any(char.IsControl));
    }

    [Fact]
    public async Task A_workflow_that_is_not_registered_cannot_be_started()
    {
        await using var node = await TestNode.Start();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => node.Runs.Start<Unregistered, Script>(new Script([]), new StartRun { RequestedBy = "ada" }));

        Assert.Contains("AddWorkflow<Unregistered", refused.Message, StringComparison.Ordinal);
    }

    [Workflow("unregistered")]
    private sealed class Unregistered : IWorkflow<Script>
    {
        public string Title(Script input) => "";

        public void Describe(WorkflowPlan<Script> plan) { }
    }
}
