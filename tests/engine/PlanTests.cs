using System.Diagnostics;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine.Tests;

public sealed class PlanTests
{
    /// <summary>The same kind in another version, as a deploy would bring it.</summary>
    private static async Task<TestNode> Deploy<TWorkflow>(TestNode before, Actors actors) where TWorkflow : class
    {
        await before.DisposeAsync();
        return await TestNode.Start(actors, before.ConnectionString, services: s => s.AddWorkflow<TWorkflow>());
    }

    private static async Task<(TestNode Node, Guid Id, Actors Actors)> PausedAtSecondStep()
    {
        var actors = new Actors();
        var broken = true;
        actors.On("b", _ => broken ? throw new StepRejectedException("no") : Task.CompletedTask);
        var node = await TestNode.Start(actors, services: s => s.AddWorkflow<First>());
        var id = (await node.Runs.Start<First, Script>(new Script([]), new StartRun { RequestedBy = "ada" })).Id;
        await node.Is(id, RunState.Paused);
        broken = false;
        return (node, id, actors);
    }

    [Fact]
    public async Task A_plan_changed_by_a_deploy_where_the_run_has_been_pauses_it_with_both_versions_named()
    {
        var (node, id, actors) = await PausedAtSecondStep();
        await using var deployed = await Deploy<Reordered>(node, actors);

        await deployed.Runs.Retry(id, "ada");
        var run = await deployed.Until(id, r => r.State == RunState.Paused && r.Events.Count(e => e.What == "paused") == 2);

        Assert.StartsWith("The plan of 'deployed' was changed by a deploy: this run was begun with version 1, node one has version 2, in which step 'a'", run.Reason, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], actors.Calls);
    }

    [Fact]
    public async Task A_plan_changed_without_raising_its_version_pauses_the_run_and_says_so()
    {
        var (node, id, actors) = await PausedAtSecondStep();
        await using var deployed = await Deploy<Unraised>(node, actors);

        await deployed.Runs.Retry(id, "ada");
        var run = await deployed.Until(id, r => r.State == RunState.Paused && r.Events.Count(e => e.What == "paused") == 2);

        Assert.StartsWith("The plan of 'deployed' was changed by a deploy without raising its version, 1: in the one of node one, step 'a'", run.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_changed_by_a_deploy_after_where_the_run_has_been_is_taken_over()
    {
        var (node, id, actors) = await PausedAtSecondStep();
        await using var deployed = await Deploy<Longer>(node, actors);

        await deployed.Runs.Retry(id, "ada");
        var run = await deployed.Ended(id);

        Assert.Equal((RunState.Succeeded, 2, 4), (run.State, run.Version, run.StepsTotal));
        Assert.Equal(["a", "b", "b", "x", "c"], actors.Calls);
        Assert.Equal("The third", run.Steps[2].Title);
    }

    [Fact]
    public async Task A_run_of_a_workflow_that_the_node_does_not_know_waits_for_one_that_does_and_says_so()
    {
        var (node, id, actors) = await PausedAtSecondStep();
        await node.DisposeAsync();
        await using var deployed = await TestNode.Start(actors, node.ConnectionString);

        await deployed.Runs.Retry(id, "ada");
        var run = await deployed.Until(id, r => r.Reason?.StartsWith("Node one", StringComparison.Ordinal) == true);

        Assert.Equal((RunState.Queued, "Node one knows no workflow deployed, and waits for one that does: deploy the version that has it, or cancel the run."), (run.State, run.Reason));
    }

    [Fact]
    public async Task A_run_that_Hangfire_has_lost_is_handed_over_again()
    {
        await using var desk = await TestNode.Start(options: o => o.Workers = 0);
        var id = await desk.Begin("a");
        await using (var connection = await desk.Database.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("delete from hangfire.jobqueue; delete from hangfire.job");
        }

        await using var node = await TestNode.Start(new Actors(), desk.ConnectionString);

        Assert.Equal(RunState.Succeeded, (await node.Ended(id)).State);
    }

    [Fact]
    public async Task A_job_that_Hangfire_delivers_many_times_does_everything_once()
    {
        var go = new TaskCompletionSource();
        await using var node = await TestNode.Start(new Actors().On("a", _ => go.Task));
        var id = await node.Begin("a", "b");
        await node.Is(id, RunState.Running);
        var queue = node.Services.GetRequiredService<RunQueue>();
        for (var n = 0; n < 6; n++)
        {
            await queue.TryEnqueue(new QueuedRun(id, RunQueue.Of(RunPriority.Normal)));
        }

        await using var connection = await node.Database.OpenConnectionAsync();
        var patience = Stopwatch.StartNew();
        while (await connection.ExecuteScalarAsync<int>("select count(*) from hangfire.job where statename = 'Succeeded'") < 3 && patience.Elapsed < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(20);
        }

        go.SetResult();
        var run = await node.Ended(id);

        Assert.Equal(["a", "b"], node.Actors.Calls);
        Assert.Single(run.Events, e => e.What == "claimed");
    }

    [Workflow("deployed", 1)]
    public sealed class First : IWorkflow<Script>
    {
        public string Title(Script input) => "first";

        public void Describe(WorkflowPlan<Script> plan) => Add(plan, "a", "b", "c");
    }

    [Workflow("deployed", 2)]
    public sealed class Reordered : IWorkflow<Script>
    {
        public string Title(Script input) => "reordered";

        public void Describe(WorkflowPlan<Script> plan) => Add(plan, "b", "a", "c");
    }

    [Workflow("deployed", 1)]
    public sealed class Unraised : IWorkflow<Script>
    {
        public string Title(Script input) => "unraised";

        public void Describe(WorkflowPlan<Script> plan) => Add(plan, "b", "a", "c");
    }

    [Workflow("deployed", 2)]
    public sealed class Longer : IWorkflow<Script>
    {
        public string Title(Script input) => "longer";

        public void Describe(WorkflowPlan<Script> plan) => Add(plan, "a", "b", "x", "c");
    }

    private static void Add(WorkflowPlan<Script> plan, params string[] names)
    {
        foreach (var name in names)
        {
            plan.Step(name, name == "x" ? "The third" : name, ScriptedStep.With(new Told(name, name)));
        }
    }
}
