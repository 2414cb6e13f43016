using System.Text.Json.Serialization.Metadata;

namespace ManagedServers.Cli.Client;

/// <summary>What a request would change about what the product stores.</summary>
public sealed record StoredPlan
{
    /// <summary>What it would do.</summary>
    public required string Title { get; init; }

    /// <summary>Empty for nothing.</summary>
    public IReadOnlyList<StoredChange> Changes { get; init => field = value ?? []; } = [];

    /// <summary>What would be proven before anything is kept.</summary>
    public string? Proof { get; init; }

    /// <summary>What comes of it on hosts; null where nothing on a host changes with it.</summary>
    public string? OnHosts { get; init; }

    /// <summary>Servers that it concerns.</summary>
    public IReadOnlyList<ConcernedServer> Servers { get; init => field = value ?? []; } = [];

    /// <summary>All of them.</summary>
    public int TotalServers { get; init; }

    /// <summary>What else is worth knowing.</summary>
    public IReadOnlyList<string> Notes { get; init => field = value ?? []; } = [];
}

/// <summary>One thing that would be stored otherwise.</summary>
/// <param name="Thing">For example <c>address</c>.</param>
/// <param name="From">Null where there is nothing, or it is not shown.</param>
/// <param name="To">Null where it would be gone.</param>
/// <param name="Detail">More about it in lines.</param>
public sealed record StoredChange(string Thing, string? From, string? To, string? Detail = null);

/// <summary>A server that a change concerns.</summary>
/// <param name="Server">Its name.</param>
/// <param name="Services">Its zones and subnets.</param>
public sealed record ConcernedServer(string Server, IReadOnlyList<ServiceImpact> Services);

/// <summary>A request that changes what the product stores, or shows what it would change.</summary>
/// <typeparam name="T">Type of the answer.</typeparam>
/// <param name="Method">How it is sent.</param>
/// <param name="Path">Where it is sent to.</param>
/// <param name="Body">JSON; null for none.</param>
/// <param name="Type">How the answer is read; null when there is none.</param>
public sealed record ChangeRequest<T>(HttpMethod Method, string Path, string? Body, JsonTypeInfo<T>? Type)
{
    /// <summary>How long the product may take; 30 s when null.</summary>
    public TimeSpan? Limit { get; init; }

    /// <summary>With it a lost answer is asked for again.</summary>
    public string? IdempotencyKey { get; init; }

    /// <inheritdoc />
    public override string ToString() => Path;   // a body may hold a secret
}

/// <summary>Changes of what the product stores.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class ChangesApi(ProductHttp http)
{
    /// <summary>Makes a change.</summary>
    public Task<Answer<T>> Make<T>(ChangeRequest<T> request, CancellationToken cancellationToken = default) =>
        http.Send(request.Method, request.Path, request.Body, request.Type, request.IdempotencyKey, request.Limit, cancellationToken);

    /// <summary>What it would change. Changes nothing.</summary>
    public Task<Answer<StoredPlan>> Plan<T>(ChangeRequest<T> request, CancellationToken cancellationToken = default) =>
        http.Send(request.Method, $"{request.Path}{(request.Path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}plan=true", request.Body, ClientJson.Default.StoredPlan, limit: request.Limit, cancellationToken: cancellationToken);
}
