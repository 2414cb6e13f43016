using Npgsql;

namespace ManagedServers.Engine;

/// <summary>What operators and the host's code see of runs; the work is done next door.</summary>
internal sealed class Runs(WorkflowCatalog catalog, RunStarter starter, RunPlanner planner, RunReader reader, RunActions actions, BulkActions bulk, Watchers watchers) : IRuns
{
    public Task<StartedRun> Start<TWorkflow, TInput>(
        TInput input, StartRun start, Func<NpgsqlTransaction, Guid, Task>? within = null, CancellationToken cancellationToken = default)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull =>
        starter.Start<TWorkflow, TInput>(input, start, within, cancellationToken);

    public Task<RunDetails?> Get(Guid id, CancellationToken cancellationToken = default) => reader.Get(id, cancellationToken);

    public Task<IReadOnlyList<RunSummary>> Get(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken = default) => reader.Get(ids, cancellationToken);

    public Task<IReadOnlyList<RunSummary>> List(RunFilter filter, CancellationToken cancellationToken = default) => reader.List(filter, cancellationToken);

    public Task<IReadOnlyList<LogLine>> Log(Guid id, long after = 0, int limit = 1000, CancellationToken cancellationToken = default) =>
        reader.Log(id, after, limit, cancellationToken);

    public IAsyncEnumerable<Guid> Watch(Guid id, CancellationToken cancellationToken = default) => watchers.Watch(id, cancellationToken);

    public IAsyncEnumerable<Guid> WatchAll(CancellationToken cancellationToken = default) => watchers.Watch(null, cancellationToken);

    public Task Cancel(Guid id, CancelMode mode, string who, string? why = null, CancellationToken cancellationToken = default) =>
        actions.Cancel(id, mode, who, why, cancellationToken);

    public Task Retry(Guid id, string who, string? why = null, RetryFrom? from = null, CancellationToken cancellationToken = default) =>
        actions.Retry(id, who, why, from, cancellationToken);

    public Task Skip(Guid id, string who, string? why = null, CancellationToken cancellationToken = default) => actions.Skip(id, who, why, cancellationToken);

    public Task SetPriority(Guid id, RunPriority priority, string who, string? why = null, CancellationToken cancellationToken = default) =>
        actions.SetPriority(id, priority, who, why, cancellationToken);

    public Task<BulkResult> Act(RunFilter filter, BulkVerb verb, string who, string? why = null, CancellationToken cancellationToken = default) =>
        bulk.Act(filter, verb, who, why, cancellationToken);

    public Task Signal<TSignal>(Guid id, string step, TSignal payload, string who, string? why = null, CancellationToken cancellationToken = default) where TSignal : notnull =>
        actions.Signal(id, step, EngineJson.Element(payload), who, why, cancellationToken);

    public Task Decide(Guid id, string step, bool approved, string who, string? why = null, CancellationToken cancellationToken = default) =>
        actions.Decide(id, step, approved, who, why, cancellationToken);

    public async Task<IReadOnlyList<RehearsedAction>> Rehearse(Func<IRunActions, Task> act, CancellationToken cancellationToken = default)
    {
        List<RehearsedAction> rehearsed = [];
        await act(new Runs(catalog, starter, planner, reader, actions.Rehearsing(rehearsed), bulk, watchers));
        return rehearsed;
    }

    public Task<Guid?> Find(string dedupeKey, CancellationToken cancellationToken = default) => reader.Find(dedupeKey, cancellationToken);

    public RunPlan Plan<TWorkflow, TInput>(TInput input)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull =>
        planner.Plan(catalog.Of<TWorkflow>(), EngineJson.Element(input));

    public Task<RunPlan> Preview<TWorkflow, TInput>(TInput input, CancellationToken cancellationToken = default)
        where TWorkflow : IWorkflow<TInput>
        where TInput : notnull =>
        planner.Preview(catalog.Of<TWorkflow>(), EngineJson.Element(input), cancellationToken);

    public Task<IReadOnlyList<RunSummary>> Holding(string exclusiveKey, CancellationToken cancellationToken = default) => reader.Holding(exclusiveKey, cancellationToken);
}
