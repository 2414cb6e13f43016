using ManagedServers.Workflows;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Dashboard.Parts;

/// <summary>Rules that a form's input breaks, by field as the API calls it. Each is shown at its field; what has none is shown above the form.</summary>
public sealed class FieldErrors
{
    private readonly Dictionary<string, string[]> rules = [];

    public static FieldErrors None { get; } = new();

    /// <summary>What an exception says about fields, or null when it says nothing of the kind.</summary>
    /// <param name="hostField">Where a problem with the host itself is shown.</param>
    public static FieldErrors? Of(Exception exception, string hostField) => exception switch
    {
        InvalidInputException e => new FieldErrors(e.Errors),
        HostRejectedException e => new FieldErrors(e.Field ?? hostField, e.Message),
        IHostProblem e => new FieldErrors(hostField, e.Message),
        _ => null,
    };

    public FieldErrors(string field, string rule) => rules[field] = [rule];

    private FieldErrors(IReadOnlyDictionary<string, string[]> errors) => rules = errors.ToDictionary();

    private FieldErrors()
    {
    }

    /// <summary>The rules broken by a field, or by any part of it (<c>listen[0]</c> has <c>listen[0].port</c>).</summary>
    public IReadOnlyList<string> At(string field) =>
        [.. rules.Where(r => r.Key == field || r.Key.StartsWith(field + ".", StringComparison.Ordinal)).SelectMany(r => r.Value.Select(rule => Sentence(rule, r.Key[field.Length..].TrimStart('.'))))];

    /// <summary>As <see cref="At"/>, of a field that holds a whole list too (<c>notify</c> has <c>notify[0].port</c>).</summary>
    public IReadOnlyList<string> Within(string field) =>
        [.. At(field), .. rules.Where(r => r.Key.StartsWith(field + "[", StringComparison.Ordinal)).SelectMany(r => r.Value.Select(rule => Sentence(rule, r.Key[field.Length..])))];

    /// <summary>What belongs to no field of the form.</summary>
    public IReadOnlyList<string> Elsewhere(Func<string, bool> isShown) =>
        [.. rules.Where(r => !isShown(r.Key)).SelectMany(r => r.Value.Select(rule => $"{r.Key}: {rule}"))];

    public bool Any => rules.Count > 0;

    // Where the field is a whole document, the place in it tells more than the rule.
    private static string Sentence(string rule, string place) =>
        rule.Length == 0 ? rule : (place.Length > 0 ? $"{place}: {rule}" : char.ToUpperInvariant(rule[0]) + rule[1..]) + (rule[^1] is '.' or '!' or '?' or ':' ? "" : ".");
}
