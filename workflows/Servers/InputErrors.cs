using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <summary>Gathers every broken rule of a request, so that an operator corrects them in one go.</summary>
internal sealed class InputErrors
{
    private readonly Dictionary<string, List<string>> errors = [];

    public void Add(string field, string rule)
    {
        if (!errors.TryGetValue(field, out var rules))
        {
            errors[field] = rules = [];
        }

        rules.Add(rule);
    }

    public void Add(InvalidInputException broken)
    {
        foreach (var (field, rule) in broken.Errors.SelectMany(e => e.Value.Select(rule => (e.Key, rule))))
        {
            Add(field, rule);
        }
    }

    /// <summary>The value, or null after noting the rule that it breaks.</summary>
    public T? Parse<T>(string field, string? text) where T : class, IParsed<T>
    {
        if (T.TryParse(text, out var value, out var rule))
        {
            return value;
        }

        Add(field, rule);
        return null;
    }

    public bool None => errors.Count == 0;

    public void ThrowIfAny()
    {
        if (errors.Count > 0)
        {
            throw new InvalidInputException(errors.ToDictionary(e => e.Key, e => e.Value.ToArray()));
        }
    }
}
