namespace ManagedServers.Engine.Tests;

/// <summary>What a run would do, told before it is started.</summary>
public sealed class PreviewTests
{
    [Fact]
    public async Task Steps_tell_what_they_would_change_with_the_results_that_those_before_them_would_give_and_nothing_is_done_or_kept()
    {
        await using var node = await TestNode.Start(services: s => s.AddWorkflow<Sums>());

        var plan = await node.Runs.Preview<Sums, int>(1);

        Assert.Equal(["one", "two", "skipped", "blind", "after"], plan.Steps.Select(s => s.Name));
        Assert.Equal(new PlannedChange(ChangeKind.Add, "sum", "2"), Assert.Single(plan.Steps[0].Preview!.Changes));
        Assert.Equal(new PlannedChange(ChangeKind.Add, "sum", "12"), Assert.Single(plan.Steps[1].Preview!.Changes));
        Assert.True(plan.Steps[2].Preview!.Skipped);
        Assert.Null(plan.Steps[3].Preview);
        Assert.Equal((null, "blind"), (plan.Steps[4].Input, Assert.Single(plan.Steps[4].Needs)));
        Assert.Equal([StepFailure.Pause, StepFailure.Continue], plan.Steps.Take(2).Select(s => s.OnFailure));
        Assert.Empty(await node.Runs.List(new RunFilter()));
        Assert.Empty(node.Actors.Calls);
    }

    [Theory]
    [InlineData(90, "too much", null)]
    [InlineData(-90, null, "nobody answers")]
    public async Task What_comes_after_a_step_that_would_fail_or_cannot_look_is_not_looked_at(int start, string? failure, string? unknown)
    {
        await using var node = await TestNode.Start(services: s => s.AddWorkflow<Sums>());

        var plan = await node.Runs.Preview<Sums, int>(start);

        Assert.Equal((failure, unknown), (plan.Steps[0].Preview!.Failure, plan.Steps[0].Preview!.Unknown));
        Assert.All(plan.Steps.Skip(1), s => Assert.Null(s.Preview));
    }

    [Fact]
    public async Task Who_holds_a_key_and_who_waits_for_it_is_told_in_the_order_of_their_turn()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task));
        var first = await node.Begin(new Script(["a"]) { Key = "door" });
        await node.Is(first, RunState.Running);
        var second = await node.Begin(new Script(["b"]) { Key = "door" });
        var urgent = await node.Begin(new Script(["b"]) { Key = "door" }, new StartRun { RequestedBy = "ada", Priority = RunPriority.High });

        Assert.Equal([first, urgent, second], (await node.Runs.Holding("door")).Select(r => r.Id));

        go.SetResult();
        await node.Ended(second);
        Assert.Empty(await node.Runs.Holding("door"));
    }

    [Workflow("sums")]
    private sealed class Sums : IWorkflow<int>
    {
        public string Title(int input) => "add up";

        public void Describe(WorkflowPlan<int> plan)
        {
            var one = plan.Step("one", "Add one", Sum.With(new Terms(plan.Input, 1)));
            var two = plan.Step("two", "Add ten", Sum.With(r => new Terms(r.Of(one).Value, 10))).OnFailure(StepFailure.Continue);
            plan.Step("skipped", "Add nothing", Sum.With(new Terms(0, 0))).When(r => r.Of(two).Value > 100);
            var blind = plan.Step("blind", "Cannot tell", PlainStep.With(new Told("blind", "")));
            plan.Step("after", "After that", Sum.With(r => new Terms(r.Of(blind).Length, 1)));
        }
    }

    private sealed record Terms(int A, int B);

    private sealed record Total(int Value);

    private sealed class Sum(Actors actors) : Step<Sum, Terms, Total>, IPreviewable<Terms, Total>
    {
        public override async Task<Total> Run(Terms input, StepContext step)
        {
            await actors.Run(step, new Told("sum", ""));
            return new Total(input.A + input.B);
        }

        public Task<Preview<Total>> Preview(Terms input, CancellationToken cancellationToken) => Task.FromResult(input.A switch
        {
            > 80 => throw new StepRejectedException("too much"),
            < -80 => throw new TimeoutException("nobody answers"),
            _ => Preview<Total>.Of(new Total(input.A + input.B), new PlannedChange(ChangeKind.Add, "sum", (input.A + input.B).ToString(System.Globalization.CultureInfo.InvariantCulture))),
        });
    }
}
