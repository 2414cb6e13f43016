using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Settings;

/// <summary>Settings that belong together and are saved together.</summary>
/// <param name="name">As it stands in addresses and commands: lower case with hyphens.</param>
/// <param name="title">For people.</param>
public abstract class SettingsModule(string name, string title)
{
    private protected static readonly JsonSerializerOptions Strict = new(EngineJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    public string Name { get; } = name;

    public string Title { get; } = title;

    /// <summary>As it comes with the product.</summary>
    internal abstract JsonNode Initial { get; }

    /// <summary>The value with every member.</summary>
    /// <exception cref="InvalidInputException">It breaks a rule.</exception>
    internal abstract JsonNode Checked(JsonNode value);
}

/// <inheritdoc/>
/// <typeparam name="T">A record whose members all have an initial value.</typeparam>
/// <param name="name">As it stands in addresses and commands.</param>
/// <param name="title">For people.</param>
/// <param name="check">Adds what it refuses: the member's path, and its rule.</param>
public sealed class SettingsModule<T>(string name, string title, Action<T, Action<string, string>> check) : SettingsModule(name, title) where T : class, new()
{
    internal override JsonNode Initial => Node(new T());

    internal static T Parse(JsonNode value)
    {
        try
        {
            return value.Deserialize<T>(Strict) ?? throw new InvalidInputException("body", "must be an object");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(e.Path is { Length: > 2 } path ? path[2..] : "body", e.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "is not known here" : "is not of the expected type");
        }
    }

    internal override JsonNode Checked(JsonNode value)
    {
        var parsed = Parse(value);
        Dictionary<string, string[]> errors = [];
        check(parsed, (field, rule) => errors.TryAdd(field, [rule]));
        return errors.Count == 0 ? Node(parsed) : throw new InvalidInputException(errors);
    }

    private static JsonNode Node(T value) => JsonSerializer.SerializeToNode(value, Strict)!;
}
