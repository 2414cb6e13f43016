using ManagedServers.Workflows;

namespace ManagedServers.Api.Endpoints;

/// <summary>A page of a list. <see cref="Next"/> goes on where it ends; null at the end.</summary>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next)
{
    public const int Most = 200;

    /// <summary>From one item more than the page holds.</summary>
    public static Page<T> Of(IReadOnlyList<T> oneMore, int limit, Func<T, string> key) =>
        oneMore.Count > limit ? new([.. oneMore.Take(limit)], key(oneMore[limit - 1])) : new(oneMore, null);
}

internal static class Limits
{
    public static int Check(int? limit, int otherwise = 50, int most = 200) => limit switch
    {
        null => otherwise,
        { } l when l >= 1 && l <= most => l,
        _ => throw new InvalidInputException("limit", $"must be 1 to {most}"),
    };
}
