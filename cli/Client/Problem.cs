namespace ManagedServers.Cli.Client;

/// <summary>What the product says when it refuses (RFC 9457, application/problem+json).</summary>
public sealed record Problem
{
    /// <summary>A stable word for the kind, often the end of an address.</summary>
    public string? Type { get; init; }

    /// <summary>The kind in words.</summary>
    public string? Title { get; init; }

    /// <summary>HTTP status.</summary>
    public int? Status { get; init; }

    /// <summary>This case in words.</summary>
    public string? Detail { get; init; }

    /// <summary>Each wrong field with what is wrong about it.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors { get; init; }

    /// <summary>The fingerprint that a host showed, with problems about host keys.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The kind of that key.</summary>
    public string? Algorithm { get; init; }

    /// <summary>The fingerprint that was accepted before, when a host shows another.</summary>
    public string? Expected { get; init; }
}
