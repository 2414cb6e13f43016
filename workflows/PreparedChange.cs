namespace ManagedServers.Workflows;

/// <summary>A change of what the product stores that was asked for and checked, and not made: it can be made, or shown. Nothing on a host changes with it, unless it says so.</summary>
/// <param name="title">What it would do.</param>
/// <param name="changes">Empty for nothing.</param>
/// <param name="make">Does it; what was looked at before may have changed meanwhile, and is looked at again.</param>
public sealed class PreparedChange<T>(string title, IReadOnlyList<StoredChange> changes, Func<CancellationToken, Task<T>> make)
{
    public string Title => title;

    public IReadOnlyList<StoredChange> Changes => changes;

    /// <summary>What is proven before anything is kept; null for nothing.</summary>
    public string? Proof { get; init; }

    /// <summary>What comes of it on hosts, in a sentence; null for nothing.</summary>
    public string? OnHosts { get; init; }

    /// <summary>The names of the servers that it concerns.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>What else is worth knowing before, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public Task<T> Make(CancellationToken cancellationToken = default) => make(cancellationToken);
}

/// <summary>One thing that would be stored otherwise; of a secret only that it is another one.</summary>
/// <param name="Thing">For example <c>address</c>.</param>
/// <param name="From">Null where there is nothing, or it is not shown.</param>
/// <param name="To">Null where it would be gone.</param>
public sealed record StoredChange(string Thing, string? From, string? To)
{
    /// <summary>More about it in lines: what differs between two texts.</summary>
    public string? Detail { get; init; }

    /// <summary>As a history tells it.</summary>
    public override string ToString() => From is null ? $"{Thing}, now {To}" : $"{Thing} from {From} to {To ?? "none"}";

    /// <summary>Those of them that are a change.</summary>
    public static IReadOnlyList<StoredChange> Of(params IEnumerable<StoredChange?> all) => [.. all.OfType<StoredChange>().Where(c => c.From != c.To)];
}
