namespace ManagedServers.Cli.Session;

/// <summary>Questions to a person.</summary>
internal static class Terminal
{
    /// <summary>Somebody can read the question and answer it.</summary>
    public static bool CanAsk => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    /// <summary>Yes only when yes was typed.</summary>
    public static bool Confirm(string question)
    {
        Console.Error.Write($"{question} [y/N] ");
        return Console.ReadLine()?.Trim().ToUpperInvariant() is "Y" or "YES";
    }

    public static string Ask(string question, string? suggestion, string otherwise)
    {
        if (!CanAsk)
        {
            throw new UsageException($"{question}: there is no terminal to ask on.", otherwise);
        }

        Console.Error.Write(suggestion is null ? $"{question}: " : $"{question} [{suggestion}]: ");
        var answer = Console.ReadLine()?.Trim();
        return answer is { Length: > 0 } ? answer : suggestion ?? throw new UsageException($"{question}: nothing was typed.", otherwise);
    }
}
