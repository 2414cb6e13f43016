namespace ManagedServers.Workflows.Provisioning;

/// <summary>What a request would change about what the product stores. Nothing was done for it, and nothing is kept.</summary>
public sealed record StoredPlan
{
    public required string Title { get; init; }

    /// <summary>What would be stored otherwise; empty for nothing.</summary>
    public required IReadOnlyList<StoredChange> Changes { get; init; }

    /// <summary>What is proven before anything is kept, and is not for the plan.</summary>
    public string? Proof { get; init; }

    /// <summary>What comes of it on hosts; null where nothing on a host changes with it.</summary>
    public string? OnHosts { get; init; }

    /// <summary>Servers that it concerns, each with whom it serves; at most 50.</summary>
    public required IReadOnlyList<ConcernedServer> Servers { get; init; }

    /// <summary>All of them.</summary>
    public required int TotalServers { get; init; }

    /// <summary>What else is worth knowing before.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}

/// <param name="Services">Its zones and subnets; empty where it serves nobody.</param>
public sealed record ConcernedServer(string Server, IReadOnlyList<ServiceImpact> Services);

/// <summary>Shows prepared changes, with whom the servers serve that they concern.</summary>
public sealed class StoredPlans(Servers.Servers servers, Configurations configurations)
{
    private const int MostServers = 50;

    public async Task<StoredPlan> Of<T>(PreparedChange<T> change, CancellationToken cancellationToken = default)
    {
        List<ConcernedServer> concerned = [];
        foreach (var name in change.Servers.Take(MostServers))
        {
            var server = await servers.Get(name, cancellationToken);
            concerned.Add(new ConcernedServer(server.Name, await new Impact(configurations, server, new Concern(Component.Serving)).Served(cancellationToken)));
        }

        return new StoredPlan { Title = change.Title, Changes = change.Changes, Proof = change.Proof, OnHosts = change.OnHosts, Servers = concerned, TotalServers = change.Servers.Count, Notes = change.Notes };
    }
}
