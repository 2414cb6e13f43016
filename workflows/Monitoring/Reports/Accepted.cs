using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>The answer to a report, given after its records are committed.</summary>
/// <param name="Count">Records that are new.</param>
/// <param name="Duplicates">Records that had been received before; they were not counted again.</param>
/// <param name="Now">Our clock.</param>
public sealed record Accepted(
    [property: JsonPropertyName("accepted")] int Count,
    [property: JsonPropertyName("duplicate")] int Duplicates,
    DateTimeOffset Now);
