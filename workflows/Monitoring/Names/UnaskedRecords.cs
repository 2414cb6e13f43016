namespace ManagedServers.Workflows.Monitoring;

public sealed record UnaskedQuery
{
    /// <summary>1 to 3660. What is kept of the coverage reaches back as far as hits are kept.</summary>
    public int Days { get; init; } = 90;

    /// <summary>Only of this zone.</summary>
    public string? Zone { get; init; }

    /// <summary>1 to 1000.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>The <see cref="UnaskedPage.Next"/> of the page before.</summary>
    public string? After { get; init; }
}

/// <param name="Types">Of its records.</param>
/// <param name="LastAccess">Before the period; null where it was never asked for while anybody listened.</param>
public sealed record UnaskedName(string Zone, string Name, IReadOnlyList<string> Types, DateTimeOffset? LastAccess);

/// <summary>How well it was listened in the period: a name that was asked for meanwhile can be in the list by what is missing here.</summary>
/// <param name="Since">The first minute of which something is known; null where nothing is.</param>
/// <param name="Time">Minutes with a sample by all minutes, 0 to 1.</param>
/// <param name="Named">Queries seen with their name.</param>
/// <param name="Queries">All queries.</param>
/// <param name="Share">Named by all, 0 to 1; null without queries.</param>
public sealed record Listened(DateTimeOffset? Since, double Time, long Named, long Queries, double? Share);

/// <param name="Total">On all pages.</param>
/// <param name="Unknown">Zones that come from other servers: which names they have is not known here.</param>
public sealed record UnaskedPage(DateTimeOffset From, DateTimeOffset To, Listened Listened, int Total, IReadOnlyList<string> Unknown, IReadOnlyList<UnaskedName> Items, string? Next);
