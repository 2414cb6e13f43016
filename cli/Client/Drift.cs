using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>What the last look at a host has found.</summary>
public sealed record ServerDrift
{
    /// <summary>The server's name.</summary>
    public required string Server { get; init; }

    /// <summary>Null when nobody has looked yet.</summary>
    public DateTimeOffset? CheckedAt { get; init; }

    /// <summary>Why the host could not be looked at.</summary>
    public string? Problem { get; init; }

    /// <summary>What is not as it was asked for.</summary>
    public IReadOnlyList<DriftFinding> Findings { get; init; } = [];
}

/// <summary>One thing that is not as it was asked for.</summary>
public sealed record DriftFinding
{
    /// <summary><c>dns</c>, <c>dhcp</c> or <c>monitor</c>.</summary>
    public required string Component { get; init; }

    /// <summary><c>container</c>, <c>image</c>, <c>specification</c>, <c>stopped</c>, <c>running</c>, <c>file</c>, <c>current</c> or <c>served</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>In words.</summary>
    public required string What { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>It can become what is wanted.</summary>
    public bool CanBeAccepted { get; init; }
}

/// <summary>Servers with drift.</summary>
/// <param name="Items">By name.</param>
public sealed record DriftList(IReadOnlyList<ServerDrift> Items);

/// <summary>What is accepted.</summary>
/// <param name="Component">All whose files differ if null.</param>
/// <param name="Message">Why.</param>
public sealed record AcceptDrift(string? Component, string? Message) : CommandsRequest;

/// <summary>Where hosts are not as they were asked to be.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class DriftApi(ProductHttp http)
{
    // Accepting reads the files from the host.
    private static readonly TimeSpan Remote = TimeSpan.FromMinutes(2);

    /// <summary>All servers about which there is something to say.</summary>
    public Task<Answer<DriftList>> List(CancellationToken cancellationToken = default) => http.Get("/api/v2/drift", ClientJson.Default.DriftList, cancellationToken);

    /// <summary>One server.</summary>
    public Task<Answer<ServerDrift>> Of(string server, CancellationToken cancellationToken = default) =>
        http.Get($"/api/v2/pvservers/{Query.Part(server)}/drift", ClientJson.Default.ServerDrift, cancellationToken);

    /// <summary>Looks now, at one server or at all.</summary>
    public Task<Answer<StartedRun>> Check(string? server, string idempotencyKey, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, server is null ? "/api/v2/drift/check" : $"/api/v2/pvservers/{Query.Part(server)}/drift/check", null, ClientJson.Default.StartedRun, idempotencyKey, cancellationToken: cancellationToken);

    /// <summary>Puts back what was asked for.</summary>
    public static RunRequest Reapply(string server, CommandsRequest request) => new($"/api/v2/pvservers/{Query.Part(server)}/drift/reapply", JsonSerializer.Serialize(request, ClientJson.Default.CommandsRequest));

    /// <summary>Makes the files on the host the next version.</summary>
    public static RunRequest Accept(string server, AcceptDrift request) => new($"/api/v2/pvservers/{Query.Part(server)}/drift/accept", JsonSerializer.Serialize(request, ClientJson.Default.AcceptDrift));
}
