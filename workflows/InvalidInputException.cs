namespace ManagedServers.Workflows;

/// <summary>Input that breaks a rule of its field. Nothing was changed; the API answers it with a problem that carries <see cref="Errors"/>.</summary>
public sealed class InvalidInputException : Exception
{
    /// <summary>One field, one rule, in words that an operator can act on.</summary>
    public InvalidInputException(string field, string rule)
        : this(new Dictionary<string, string[]> { [field] = [rule] })
    {
    }

    /// <summary>Several fields, each with the rules that it breaks.</summary>
    public InvalidInputException(IReadOnlyDictionary<string, string[]> errors)
        : base(string.Join("; ", errors.SelectMany(e => e.Value.Select(rule => $"{e.Key}: {rule.TrimEnd('.')}"))))
        => Errors = errors;

    /// <summary>Rules broken, by field; a field's name is its path in the request's JSON, as in <c>beats[3].load[0]</c>.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; }
}
