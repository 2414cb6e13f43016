using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Lists that are stored as JSON.</summary>
internal static class StoredJson
{
    public static string? Text<T>(T? value) where T : class => value is null ? null : JsonSerializer.Serialize(value, Of<T>());

    public static byte[]? Bytes<T>(T? value) where T : class => value is null ? null : JsonSerializer.SerializeToUtf8Bytes(value, Of<T>());

    public static T? Read<T>(string? text) where T : class => text is null ? null : JsonSerializer.Deserialize(text, Of<T>());

    private static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)ListsJson.Default.GetTypeInfo(typeof(T))!;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(List<DiskUse>))]
[JsonSerializable(typeof(List<NetworkUse>))]
[JsonSerializable(typeof(List<ComponentReport>))]
[JsonSerializable(typeof(IReadOnlyList<ComponentReport>))]
internal sealed partial class ListsJson : JsonSerializerContext;
