using System.Text.Json.Serialization;

namespace ManagedServers.Cli.Client;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
public sealed record Page<T>
{
    /// <summary>The rows.</summary>
    public required IReadOnlyList<T> Items { get; init; }

    /// <summary>The cursor of the next page; null on the last.</summary>
    [JsonConverter(typeof(CursorConverter))]
    public string? Next { get; init; }
}

/// <summary>An answer of the product, typed and as it came.</summary>
/// <param name="Value">Typed.</param>
/// <param name="Json">The JSON text as the product sent it.</param>
/// <typeparam name="T">Its type.</typeparam>
public sealed record Answer<T>(T Value, string Json);
