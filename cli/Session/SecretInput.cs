using System.Text;

namespace ManagedServers.Cli.Session;

/// <summary>
/// Where secrets come from: a file, standard input or the keyboard without echo. Never an argument, which everybody on the
/// machine can read.
/// </summary>
internal static class SecretInput
{
    // A private key is a few KiB; what is larger was given by mistake.
    private const int Largest = 64 * 1024;
    private static string? inputTakenBy;

    /// <summary>One line: a password, a passphrase or a token. A line break at its end is not part of it.</summary>
    public static string Line(string file, string what)
    {
        var text = All(file, what).TrimEnd('\r', '\n');
        return text.Length == 0 ? throw new UsageException($"{Named(file)} is empty; {what} was expected in it.")
            : text.AsSpan().IndexOfAny('\r', '\n') >= 0 ? throw new UsageException($"{Named(file)} has more than one line; {what} was expected in it.")
            : text;
    }

    /// <summary>The whole text: a private key.</summary>
    public static string All(string file, string what)
    {
        try
        {
            if (file == "-")
            {
                return StandardInput(what);
            }

            var info = new FileInfo(file);
            return info.Exists && info.Length > Largest
                ? throw new UsageException($"{file} has {info.Length} bytes; {what} was expected in it.")
                : File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{what} cannot be read from {Named(file)}: {e.Message}");
        }
    }

    /// <summary>Asks on the terminal, without echo.</summary>
    /// <param name="question">Without the colon.</param>
    /// <param name="otherwise">What to do where there is no terminal.</param>
    public static string Ask(string question, string otherwise)
    {
        if (!Terminal.CanAsk)
        {
            throw new UsageException($"{question}: there is no terminal to ask on.", otherwise);
        }

        _ = Console.KeyAvailable;   // switches the echo off before the question is seen
        Console.Error.Write($"{question}: ");
        var typed = new StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return typed.Length > 0 ? typed.ToString() : throw new UsageException($"{question}: nothing was typed.");
    }

    private static string StandardInput(string what)
    {
        if (inputTakenBy is not null)
        {
            throw new UsageException($"Standard input can give only one secret; {inputTakenBy} was read from it, so {what} must come from a file.");
        }

        inputTakenBy = what;
        var buffer = new char[Largest + 1];
        var length = Console.In.ReadBlock(buffer);
        return length > Largest ? throw new UsageException($"Standard input is too long; {what} was expected.") : new string(buffer, 0, length);
    }

    private static string Named(string file) => file == "-" ? "standard input" : file;
}
