using System.Text.Json;
using System.Text.Json.Serialization;

namespace ManagedServers.Engine;

/// <summary>How inputs and results are journalled, and how runs are shown: camelCase, enums as camelCase words.</summary>
public static class EngineJson
{
    /// <summary>The one set of options.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The word for it, as JSON and the database have it.</summary>
    internal static string Word<TEnum>(TEnum value) where TEnum : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
