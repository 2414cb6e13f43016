using System.Text.Json;
using ManagedServers.Workflows;

namespace ManagedServers.Api.Endpoints;

/// <summary>Enumerations in a query, written as in JSON. The framework alone takes C#'s spelling only, and refuses the rest without a word.</summary>
internal static class Words
{
    public static T Parse<T>(string field, string text) where T : struct, Enum =>
        Enum.TryParse<T>(text, ignoreCase: true, out var value) && text.All(char.IsAsciiLetter)
            ? value
            : throw new InvalidInputException(field, $"must be one of {string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName))}");
}
