namespace ManagedServers.Engine;

/// <summary>What can be done to a selection of runs.</summary>
public enum BulkVerb
{
    /// <summary>Stop them; leave what was done.</summary>
    Cancel,

    /// <summary>Stop them, then take back what was done.</summary>
    CancelAndUndo,

    /// <summary>Let them go on from where they stand.</summary>
    Retry,

    /// <summary>Skip the step at which each is paused.</summary>
    Skip,

    /// <summary>Let them go before others.</summary>
    RaisePriority,

    /// <summary>Let them go after others.</summary>
    LowerPriority,
}

/// <summary>What came of one run of a selection.</summary>
/// <param name="Run">The run as it was selected.</param>
/// <param name="Refused">Why nothing was done to it; null when it was.</param>
public sealed record BulkOutcome(RunSummary Run, string? Refused);

/// <summary>What came of a selection.</summary>
/// <param name="Outcomes">One for each selected run, newest first.</param>
/// <param name="More">More runs match than are acted on at once: the same again takes the next ones, where they still match.</param>
public sealed record BulkResult(IReadOnlyList<BulkOutcome> Outcomes, bool More);

/// <summary>One action on every run that a filter finds: chosen first, then each as if it were alone, so that one refusal holds up none of the others.</summary>
internal sealed class BulkActions(RunReader reader, RunActions actions)
{
    private const int Most = 1000;
    private const int Page = 200;

    public async Task<BulkResult> Act(RunFilter filter, BulkVerb verb, string who, string? why, CancellationToken cancellationToken)
    {
        if (filter.States.Count == 0 && filter.Kind is null && filter.Subject is null && filter.Parent is null)
        {
            throw new ArgumentException("Say which runs: by state, kind, subject or parent. An action on all runs there are is surely not meant.", nameof(filter));
        }

        // Once, not with every run.
        Identifiers.Require(who, nameof(who));
        if (!Enum.IsDefined(verb))
        {
            throw new ArgumentOutOfRangeException(nameof(verb), verb, "There is no such action.");
        }

        var selected = await Select(filter.States.Count > 0 ? filter : filter with { States = Sensible(verb) }, verb, cancellationToken);
        var outcomes = new List<BulkOutcome>();
        foreach (var run in selected.Take(Most))
        {
            outcomes.Add(new BulkOutcome(run, await Refusal(run.Id, verb, who, why, cancellationToken)));
        }

        return new BulkResult(outcomes, selected.Count > Most);
    }

    // Without states, those that the action is for: or a thousand runs that ended long ago would stand before the one that is meant.
    private static RunState[] Sensible(BulkVerb verb) => verb switch
    {
        // What somebody has cancelled goes on only when that is said.
        BulkVerb.Retry => [RunState.Paused, RunState.Failed, RunState.Waiting],
        BulkVerb.Skip => [RunState.Paused, RunState.Waiting],
        _ => [RunState.Queued, RunState.Running, RunState.Waiting, RunState.Paused],
    };

    // The same again must take the next ones.
    private static bool IsDone(RunSummary run, BulkVerb verb) =>
        (verb == BulkVerb.RaisePriority && run.Priority == RunPriority.High) || (verb == BulkVerb.LowerPriority && run.Priority == RunPriority.Low);

    private async Task<List<RunSummary>> Select(RunFilter filter, BulkVerb verb, CancellationToken cancellationToken)
    {
        var selected = new List<RunSummary>();
        var before = filter.Before;
        IReadOnlyList<RunSummary> page;
        do
        {
            page = await reader.List(filter with { Before = before, Limit = Page }, cancellationToken);
            selected.AddRange(page.Where(r => !IsDone(r, verb)));
            before = page.Count > 0 ? page[^1].Id : before;
        }
        while (page.Count == Page && selected.Count <= Most);

        return selected;
    }

    private async Task<string?> Refusal(Guid id, BulkVerb verb, string who, string? why, CancellationToken cancellationToken)
    {
        try
        {
            await (verb switch
            {
                BulkVerb.Cancel => actions.Cancel(id, CancelMode.Stop, who, why, cancellationToken),
                BulkVerb.CancelAndUndo => actions.Cancel(id, CancelMode.Undo, who, why, cancellationToken),
                BulkVerb.Retry => actions.Retry(id, who, why, null, cancellationToken),
                BulkVerb.Skip => actions.Skip(id, who, why, cancellationToken),
                BulkVerb.RaisePriority => actions.SetPriority(id, RunPriority.High, who, why, cancellationToken),
                _ => actions.SetPriority(id, RunPriority.Low, who, why, cancellationToken),
            });
            return null;
        }
        catch (RunActionException refusal)
        {
            return refusal.Message;
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            return $"It could not be done: {Words.Of(fault)}"; // and the others still can
        }
    }
}
