namespace ManagedServers.Workflows.Alerts;

/// <summary>What a rule would find at this moment.</summary>
/// <param name="FiresWhen">In words.</param>
/// <param name="Total">How many things it would find.</param>
/// <param name="Items">At most 200 of them, by server.</param>
public sealed record AlertPreview(string FiresWhen, int Total, IReadOnlyList<PreviewedAlert> Items);

public sealed record PreviewedAlert(string Server, string? Label, string Summary, double? Value);

/// <summary>Tries rules on what is known now, without keeping anything.</summary>
public sealed class AlertPreviews(AlertRules rules, AlertEvaluation evaluation)
{
    private const int Most = 200;

    /// <param name="idOrName">The rule to try; null: a new one.</param>
    /// <param name="request">The new one, or what is tried otherwise about the one that there is.</param>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="AlertRuleNotFoundException">There is no such rule.</exception>
    public async Task<AlertPreview> Of(string? idOrName, AlertRuleRequest request, CancellationToken cancellationToken = default)
    {
        var before = idOrName is null ? null : await rules.Get(idOrName, cancellationToken);
        var rule = await rules.Checked(request, before, cancellationToken);
        var found = await evaluation.Look(rule, cancellationToken);
        return new AlertPreview(AlertWords.Condition(rule), found.Count,
            [.. found.OrderBy(f => f.Server, StringComparer.OrdinalIgnoreCase).ThenBy(f => f.Label, StringComparer.Ordinal).Take(Most)
                .Select(f => new PreviewedAlert(f.Server, f.Label is { Length: > 0 } label ? label : null, AlertWords.Summary(rule, f.Label!, f.Value), f.Value))]);
    }
}
