using System.Text.Json;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Lists that are stored as JSON.</summary>
internal static class StoredJson
{
    public static string? Text<T>(T? value) => value is null ? null : JsonSerializer.Serialize(value, EngineJson.Options);

    public static T? Read<T>(string? text) where T : class => text is null ? null : JsonSerializer.Deserialize<T>(text, EngineJson.Options);
}
