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

        var selected = await Select(filter, cancellationToken);
        var outcomes = new List<BulkOutcome>();
        foreach (var run in selected.Take(Most))
        {
            outcomes.Add(new BulkOutcome(run, await Refusal(run.Id, verb, who, why, cancellationToken)));
        }

        return new BulkResult(outcomes, selected.Count > Most);
    }

    private async Task<List<RunSummary>> Select(RunFilter filter, CancellationToken cancellationToken)
    {
        var selected = new List<RunSummary>();
        IReadOnlyList<RunSummary> page;
        do
        {
            page = await reader.List(filter with { Before = selected.Count > 0 ? selected[^1].Id : filter.Before, Limit = Page }, cancellationToken);
            selected.AddRange(page);
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
    }
}
