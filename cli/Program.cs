using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.Versioning;
using System.Text;
using System.Text.RegularExpressions;
using ManagedServers.Cli.Commands;
using ManagedServers.Cli.Output;

// Owner-only files and signals are what a Unix has; the product's operators work on one.
[assembly: SupportedOSPlatform("linux")]
[assembly: SupportedOSPlatform("macos")]

namespace ManagedServers.Cli;

/// <summary>`msctl`, the command line of Managed Servers.</summary>
internal static partial class Program
{
    public static async Task<int> Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var parse = Root.Build().Parse(args);
        if (parse.Action is ParseErrorAction)
        {
            return Usage(parse);
        }

        try
        {
            // The default handler prints a stack trace; what is foreseen is handled in Guard, and what is not should be seen whole.
            return await parse.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (IOException e)
        {
            // Files that options name are looked after where they are written: what is left is where the output goes, a full disk mostly.
            Console.Error.WriteLine($"msctl: The output could not be written: {SafeText.Line(e.Message.TrimEnd('.'))}. What was asked of the product may have been done: look with msctl runs list.");
            return ExitCode.Refused;
        }
    }

    private static int Usage(ParseResult parse)
    {
        foreach (var error in parse.Errors.Select(e => Misread().Replace(SafeText.OneLine(e.Message), Words)).Distinct())
        {
            Console.Error.WriteLine($"msctl: {SafeText.Line(error)}");
        }

        var path = string.Join(' ', Path(parse.CommandResult.Command));
        Console.Error.WriteLine($"  How it is used: {path} --help");
        return ExitCode.Usage;
    }

    // The library names types of .NET.
    [GeneratedRegex(@"^Cannot parse argument '(?<text>.*)' for (?:command|option) '(?<what>[^']*)' as expected type '(?<type>[^']*)'\..*$")]
    private static partial Regex Misread();

    private static string Words(Match misread) =>
        $"'{misread.Groups["text"]}' is not {(misread.Groups["type"].Value.Contains("Guid", StringComparison.Ordinal) ? "an id: those have 32 hexadecimal digits with dashes between them" : "a whole number")}, which {misread.Groups["what"]} needs.";

    private static IEnumerable<string> Path(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? Path(parent).Append(command.Name) : ["msctl"];
}
