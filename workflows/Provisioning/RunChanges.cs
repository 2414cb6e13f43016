using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Prepares what operators do to runs: what would become of the run, and which of its steps come then.</summary>
public sealed class RunChanges(IRuns runs, Servers.Servers servers)
{
    /// <param name="act">The one action on this run.</param>
    /// <exception cref="RunActionException">The run is not in a state for it.</exception>
    public async Task<PreparedChange<Nothing>> Prepare(Guid id, Func<IRunActions, Task> act, CancellationToken cancellationToken = default)
    {
        var run = await runs.Get(id, cancellationToken) ?? throw new RunActionException($"There is no run {id}.");
        // Of a run with others below it, those too: each in an entry of its own.
        var rehearsed = await runs.Rehearse(act, cancellationToken);
        var own = rehearsed.Single(a => a.Run == id);
        var next = Next(run, own);
        return new PreparedChange<Nothing>(
            $"run {id} ({run.Title}) is {(own.What.Length > 0 ? own.What : "left as it is")}",
            [.. rehearsed.Where(a => a.What.Length > 0).Select(a => new StoredChange($"run {a.Run}", Word(a.Before), Outcome(a)) { Detail = a == own && next.Count > 0 ? string.Join('\n', next.Select(s => $"{s.Seq}. {s.Title}")) : null })],
            async _ =>
            {
                await act(runs);
                return Nothing.Value;
            })
        {
            OnHosts = next.Count == 0 ? null : IsUndone(own) ? "What these steps have done is taken back." : "The run goes on, and does these steps.",
            Servers = run.Subject?.Split(':') is ["server", var server] && await servers.NameOf(Guid.Parse(server), cancellationToken) is { } name ? [name] : [],
        };
    }

    /// <summary>The steps that come, or are taken back, because of the action.</summary>
    private static List<StepDetails> Next(RunDetails run, RehearsedAction action) => action switch
    {
        _ when IsUndone(action) => [.. run.Steps.Where(s => (s.Seq <= action.Step || !action.Undoing) && s.State is not (StepState.Pending or StepState.Skipped or StepState.Undone)).Reverse()],
        { What: "retried" or "skipped" } => [.. run.Steps.Where(s => s.Seq >= action.Step)],
        // One that comes before its step waits for it is kept.
        { What: "approved" or "signalled", After: RunState.Waiting } => [.. run.Steps.Where(s => s.Seq > action.Step)],
        _ => [],
    };

    // A running one that is cancelled turns back only when its step lets go; a stop of it has nothing more to say.
    private static bool IsUndone(RehearsedAction action) => action switch
    {
        { What: "cancelled" } => action.After != RunState.Cancelled && action.Detail is not null,
        { What: "retried" or "skipped" } => action.Undoing,
        _ => false,
    };

    private static string Outcome(RehearsedAction action) => action switch
    {
        { What: "cancelled", Before: RunState.Running, After: RunState.Running } => $"cancelled, as soon as its step lets go{More(action, ". ")}",
        _ when action.Before == action.After => $"{action.What}{More(action, ": ")}",
        _ => $"{Word(action.After)}{More(action, ": ")}",
    };

    private static string More(RehearsedAction action, string before) => action.Detail is { } detail ? before + detail.TrimEnd('.') : "";

    private static string Word(RunState state) => state.ToString().ToLowerInvariant();
}
