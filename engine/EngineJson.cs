using System.Text.Json;
using System.Text.Json.Serialization;

namespace ManagedServers.Engine;

/// <summary>How inputs and results are journalled, and how runs are shown: camelCase, enums as camelCase words.</summary>
public static class EngineJson
{
    // What System.Text.Json reads and writes when nothing else is said.
    private const int DeepestLevel = 64;

    /// <summary>The one set of options.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Something that a caller gave, as it is journalled.</summary>
    /// <exception cref="ArgumentException">It does not serialise.</exception>
    internal static JsonElement Element<T>(T value)
    {
        try
        {
            return JsonSerializer.SerializeToElement(value, Options);
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new ArgumentException($"{typeof(T).Name} does not serialise to JSON of at most {DeepestLevel} levels: {fault.Message}", fault);
        }
    }

    /// <summary>The word for it, as JSON and the database have it.</summary>
    internal static string Word<TEnum>(TEnum value) where TEnum : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
