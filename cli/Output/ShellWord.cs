namespace ManagedServers.Cli.Output;

/// <summary>A word of a command line to copy, as a POSIX shell reads it back, and safe to print.</summary>
internal static class ShellWord
{
    public static string Of(string text)
    {
        var safe = SafeText.Line(text);
        return safe.Length > 0 && safe.All(IsPlain) ? safe : $"'{safe.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '/' or ':' or '@' or '%' or '+' or ',' or '-' or '=';
}
