using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Hosts;

/// <summary>A value that is checked where it enters, so that nothing deeper checks it again.</summary>
public interface IParsed<TSelf> where TSelf : IParsed<TSelf>
{
    string Text { get; }

    /// <param name="brokenRule">Completes the sentence "The {field} …", for example "must be a number from 1 to 65535". Never repeats the input.</param>
    static abstract bool TryParse(string? text, [NotNullWhen(true)] out TSelf? value, [NotNullWhen(false)] out string? brokenRule);
}

internal sealed class ParsedJsonConverter<T> : JsonConverter<T> where T : class, IParsed<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType == JsonTokenType.Number ? reader.GetInt64().ToString(null as IFormatProvider) : reader.GetString();
        return T.TryParse(text, out var value, out var rule) ? value : throw new JsonException($"The value {rule}.");
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
}
