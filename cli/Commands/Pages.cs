using System.Text.Json;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Commands;

/// <summary>Reads a list page by page until there is no more, or enough.</summary>
internal static class Pages
{
    // Bounds what a product that repeats its cursor can make a command do.
    private const int Most = 1000;

    public static async Task<Answer<IReadOnlyList<T>>> All<T>(Func<string?, Task<Answer<Page<T>>>> read, int limit = int.MaxValue)
    {
        var first = await read(null);
        if (first.Value.Next is null || first.Value.Items.Count >= limit)
        {
            return new Answer<IReadOnlyList<T>>(first.Value.Items, first.Json);
        }

        var (items, pages) = (first.Value.Items.ToList(), new List<string> { first.Json });
        for (var page = first; page.Value.Next is { } cursor && items.Count < limit && pages.Count < Most;)
        {
            page = await read(cursor);
            items.AddRange(page.Value.Items);
            pages.Add(page.Json);
        }

        return new Answer<IReadOnlyList<T>>(items, Joined(pages));
    }

    /// <summary>The pages as one document of the same shape: every item as it came, and the last cursor.</summary>
    private static string Joined(List<string> pages)
    {
        var documents = pages.ConvertAll(p => JsonDocument.Parse(p));
        try
        {
            var items = documents.SelectMany(d => d.RootElement.GetProperty("items").EnumerateArray()).Select(i => i.GetRawText());
            var next = documents[^1].RootElement.TryGetProperty("next", out var cursor) ? cursor.GetRawText() : "null";
            return $$"""{"items":[{{string.Join(',', items)}}],"next":{{next}}}""";
        }
        finally
        {
            documents.ForEach(d => d.Dispose());
        }
    }
}
