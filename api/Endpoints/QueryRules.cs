using System.Text.RegularExpressions;
using ManagedServers.Workflows;

namespace ManagedServers.Api.Endpoints;

/// <summary>What is looked at in the path and query of every request, so that no endpoint can forget it.</summary>
internal static partial class QueryRules
{
    // Before and after these nothing was ever measured, and neither PostgreSQL nor the calendar can reckon at their own ends.
    private static readonly DateTimeOffset Earliest = new(1970, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Latest = new(3000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A filter for every endpoint of a group: no name that it does not know, texts without control characters, which PostgreSQL may refuse, and dates that can be reckoned with.</summary>
    public static EndpointFilterDelegate Filter(EndpointFilterFactoryContext endpoint, EndpointFilterDelegate next)
    {
        var names = endpoint.MethodInfo.GetParameters().Select(p => p.Name!).ToArray();
        var known = names.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return call =>
        {
            // A misspelt wish of an operator's: with ?plna=true the run would be started in earnest.
            if (call.HttpContext.Request.Query.Keys.FirstOrDefault(key => !known.Contains(key)) is { } unknown)
            {
                throw new InvalidInputException(unknown, "is not known in this address's query");
            }

            foreach (var (name, value) in names.Zip(call.Arguments))
            {
                if (Rule(value) is { } rule)
                {
                    throw new InvalidInputException(name, rule);
                }
            }

            return next(call);
        };
    }

    /// <summary>The field and the rule behind the framework's own words about a request that it could not bind; null for other words.</summary>
    public static (string Field, string Rule)? Broken(BadHttpRequestException problem)
    {
        if (problem.Message.Contains("no body was provided", StringComparison.Ordinal))
        {
            return ("body", "is missing: send a JSON object");
        }

        return NotBound().Match(problem.Message) is not { Success: true } match ? null : (match.Groups["name"].Value, match.Groups["type"].Value switch
        {
            var type when type.Contains("DateTimeOffset", StringComparison.Ordinal) => "must be a time like 2026-03-01T12:00:00Z",
            var type when type.Contains("Guid", StringComparison.Ordinal) => "must be an id like 0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b",
            var type when type.Contains("bool", StringComparison.OrdinalIgnoreCase) => "must be true or false",
            _ => "must be a whole number, and not too large a one",
        });
    }

    private static string? Rule(object? value) => value switch
    {
        string text when text.Any(char.IsControl) => "must not contain control characters",
        string[] texts => texts.Select(Rule).FirstOrDefault(rule => rule is not null),
        DateTimeOffset at when at < Earliest || at >= Latest => $"must be a time from the year {Earliest.Year} to {Latest.Year - 1}",
        _ => null,
    };

    [GeneratedRegex("""\AFailed to bind parameter "(?<type>\S+) (?<name>\w+)" from """)]
    private static partial Regex NotBound();
}
