using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>The answer to a report, given after its records are committed.</summary>
/// <param name="Count">Records that are new.</param>
/// <param name="Duplicates">Records that had been received before; they were not counted again.</param>
/// <param name="Now">Our clock.</param>
/// <param name="Settings">What the sender is to do from now on.</param>
/// <param name="Agent">The SHA-256 of the agent that the sender is to be; null where it is none.</param>
public sealed record Accepted(
    [property: JsonPropertyName("accepted")] int Count,
    [property: JsonPropertyName("duplicate")] int Duplicates,
    DateTimeOffset Now,
    SenderSettings? Settings = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Agent = null);

/// <param name="Now">Our clock.</param>
/// <param name="Settings">As in <see cref="Accepted"/>.</param>
public sealed record Greeting(DateTimeOffset Now, SenderSettings? Settings);
