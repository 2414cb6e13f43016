using System.Text;
using ManagedServers.Engine.Child;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine.Tests;

public sealed class LimitTests
{
    [Fact]
    public async Task An_error_of_ten_megabytes_is_cut_and_says_so()
    {
        await using var node = await TestNode.Start(new Actors().On("a", _ => throw new StepRejectedException(new string('ä', 10_000_000))));

        var run = await node.Is(await node.Begin("a"), RunState.Paused);

        Assert.EndsWith("… (cut; 10,000,000 characters in all)", run.Steps[0].Error, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(run.Steps[0].Error!), 8_000, 8_192);
        Assert.True(run.Reason!.Length < 1_000);
    }

    [Fact]
    public async Task A_result_above_256_KiB_is_a_clear_rejection()
    {
        await using var node = await TestNode.Start(new Actors().On("a", (_, _) => Task.FromResult(new string('x', 300_000))));

        var run = await node.Is(await node.Begin(new Spec("a") { Tries = 3 }), RunState.Paused);

        Assert.Equal("The step did its work, but its result has 292 KiB as JSON; at most 256 KiB can be journalled. Return an id or a path, not the contents.", run.Steps[0].Error);
        Assert.Equal(1, run.Steps[0].Attempts);
    }

    [Fact]
    public async Task A_result_that_does_not_serialise_is_a_clear_rejection()
    {
        await using var node = await TestNode.Start(services: s => s.AddWorkflow<Circular, Script>());

        var id = (await node.Runs.Start<Circular, Script>(new Script([]), new StartRun { RequestedBy = "ada" })).Id;
        var run = await node.Is(id, RunState.Paused);

        Assert.StartsWith("The step did its work, but its result (Loop) cannot be journalled because it does not serialise to JSON:", run.Steps[0].Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Steps[0].Attempts);
    }

    [Fact]
    public async Task A_step_that_gives_null_and_a_condition_that_throws_are_told_as_what_they_are()
    {
        await using var node = await TestNode.Start(new Actors().On("a", (_, _) => Task.FromResult<string>(null!)));

        var nothing = await node.Is(await node.Begin("a", new Spec("b") { Needs = "a" }), RunState.Paused);
        Assert.StartsWith("The step did its work, but gave null in place of a result", nothing.Steps[0].Error, StringComparison.Ordinal);

        var unknown = await node.Is(await node.Begin(new Spec("b") { WhenFails = true }), RunState.Paused);
        Assert.StartsWith("Its condition could not be looked at:", unknown.Steps[0].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dedupe_key_of_another_kind_is_refused_and_one_that_cannot_be_kept_is_not_looked_for()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);
        var start = new StartRun { RequestedBy = "ada", DedupeKey = "once" };
        var first = await node.Begin(new Script(["a"]), start);

        Assert.Equal(first, await node.Begin(new Script(["a"]), start));
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => node.Runs.Start<EffectsWorkflow, Effects>(ChildNode.Effects(1, 1), start));
        Assert.Contains($"was used already, by run {first} of kind 'scripted': nothing was started", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<UnstorableTextException>(() => node.Runs.Find("a\0"));
    }

    [Fact]
    public async Task An_input_above_256_KiB_is_refused_at_the_start()
    {
        await using var node = await TestNode.Start();

        var refused = await Assert.ThrowsAsync<ArgumentException>(() => node.Begin(new Spec("a") { Payload = new string('x', 300_000) }));

        Assert.Contains("a run takes at most 256 KiB", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_input_that_makes_no_plan_or_is_nested_too_deep_is_refused_at_the_start()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0, services: s => s.AddWorkflow<Nested>());
        var ada = new StartRun { RequestedBy = "ada" };
        var deep = Enumerable.Range(0, 70).Aggregate(new Nest(), (inner, _) => new Nest { Inner = inner });

        var empty = await Assert.ThrowsAsync<ArgumentException>(() => node.Begin(new Script([])));
        var deeper = await Assert.ThrowsAsync<ArgumentException>(() => node.Runs.Start<Nested, Nest>(deep, ada));

        Assert.Contains("The plan of 'scripted' cannot be made from this input: The plan of 'scripted' has no steps.", empty.Message, StringComparison.Ordinal);
        Assert.Contains("Nest does not serialise to JSON of at most 64 levels", deeper.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => node.Runs.Plan<Nested, Nest>(deep));
        Assert.Throws<ArgumentException>(() => node.Runs.Plan<ScriptedWorkflow, Script>(new Script([])));
        Assert.Empty(await node.Runs.List(new RunFilter()));
    }

    public sealed record Nest
    {
        public Nest? Inner { get; init; }
    }

    [Workflow("nested")]
    private sealed class Nested : IWorkflow<Nest>
    {
        public string Title(Nest input) => "nested";

        public void Describe(WorkflowPlan<Nest> plan) => plan.Step("do", "Do it", ScriptedStep.With(new Told("do", "do")));
    }

    [Fact]
    public async Task A_step_that_logs_a_million_lines_is_told_about_and_the_log_stays_gapless()
    {
        var actors = new Actors().On("a", step =>
        {
            for (var n = 0; n < 1_000_000; n++)
            {
                step.Log($"line {n}");
            }

            return Task.CompletedTask;
        });
        await using var node = await TestNode.Start(actors);

        var run = await node.Ended(await node.Begin("a", "b"));

        Assert.Equal(RunState.Succeeded, run.State);
        var lines = new List<LogLine>();
        while (await node.Runs.Log(run.Id, lines.Count, 10_000) is { Count: > 0 } page)
        {
            lines.AddRange(page);
        }

        Assert.Equal(Enumerable.Range(1, lines.Count).Select(n => (long)n), lines.Select(l => l.Seq));
        Assert.InRange(lines.Count, 1_000, 100_002);
        Assert.Contains(lines, l => l.Level == LogLevel.Warning && l.Message.Contains("left out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_line_above_4_KiB_is_cut()
    {
        await using var node = await TestNode.Start(new Actors().On("a", step => { step.Log(new string('x', 100_000)); return Task.CompletedTask; }));

        var run = await node.Ended(await node.Begin("a"));

        Assert.InRange(Encoding.UTF8.GetByteCount((await node.Runs.Log(run.Id)).Single().Message), 4_000, 4_096);
    }

    [Fact]
    public async Task What_PostgreSQL_cannot_store_is_replaced()
    {
        var actors = new Actors().On("a", (step, _) =>
        {
            step.Log("nul \0 and half a pair \ud800.");
            step.Changed("half \udc00");
            return Task.FromResult("nul \0 half \ud800");
        }).On("b", _ => throw new StepRejectedException("nul \0 half \ud800"));
        await using var node = await TestNode.Start(actors);

        var run = await node.Is(await node.Begin("a", "b"), RunState.Paused);

        Assert.Equal("nul \ufffd half \ufffd", run.Steps[1].Error);
        Assert.Equal("half \ufffd", run.Steps[0].Summary);
        Assert.Equal("nul \ufffd and half a pair \ufffd.", (await node.Runs.Log(run.Id))[0].Message);
        Assert.Equal("nul \ufffd half \ufffd", run.Steps[0].Output!.Value.GetString());
    }

    public sealed class Loop
    {
        public Loop Me => this;
    }

    [Workflow("circular")]
    public sealed class Circular : IWorkflow<Script>
    {
        public string Title(Script input) => "circular";

        public void Describe(WorkflowPlan<Script> plan) => plan.Step("loop", "Loop", LoopStep.With("in"));
    }

    public sealed class LoopStep : Step<LoopStep, string, Loop>
    {
        public override Task<Loop> Run(string input, StepContext step) => Task.FromResult(new Loop());
    }
}
