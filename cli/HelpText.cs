using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli;

/// <summary>Help in one layout for every command; the global options are listed once, at the root, and not under each command again.</summary>
internal sealed class HelpText : SynchronousCommandLineAction
{
    private const int Widest = 100;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        return ExitCode.Done;
    }

    public static void Write(Command command, TextWriter output)
    {
        var room = Math.Clamp(!Console.IsOutputRedirected && Console.WindowWidth > 0 ? Console.WindowWidth : Widest, 40, Widest);
        var root = command.Parents.FirstOrDefault() is null;
        Paragraph(output, command.Description ?? "", room);
        foreach (var note in (command as DocumentedCommand)?.Notes ?? [])
        {
            output.WriteLine();
            Paragraph(output, note, room);
        }

        output.WriteLine($"\nUsage:\n  {Usage(command)}");
        Section(output, "Commands", command.Subcommands.Where(c => !c.Hidden).Select(c => (c.Name, c.Description ?? "")), room);
        Section(output, "Arguments", command.Arguments.Select(a => ($"<{a.Name}>", a.Description ?? "")), room);
        Section(output, root ? "Options for every command" : "Options", command.Options.Where(o => !o.Hidden && o is not VersionOption).Select(o => (Named(o), Described(o))), room);
        Examples(output, command);
        if (root)
        {
            Section(output, "Exit codes", ExitCode.All.Select(e => ($"{e.Code,3}", e.Meaning)), room);
        }

        output.WriteLine(root ? "\nMore about a command: msctl COMMAND --help" : "\nOptions for every command, and exit codes: msctl --help");
    }

    private static string Usage(Command command)
    {
        var path = new List<string>();
        for (var each = command; each is not null; each = each.Parents.OfType<Command>().FirstOrDefault())
        {
            path.Insert(0, each is RootCommand ? "msctl" : each.Name);
        }

        var words = path.Concat(command.Arguments.Select(a => a.Arity.MinimumNumberOfValues > 0 ? $"<{a.Name}>" : $"[<{a.Name}>]"));
        words = words.Concat(command.Options.Where(o => o.Required).Select(Named));
        return string.Join(' ', words.Append(command.Subcommands.Any(c => !c.Hidden) ? "COMMAND" : "[options]"));
    }

    private static void Examples(TextWriter output, Command command)
    {
        if (command is DocumentedCommand { Examples.Count: > 0 } documented)
        {
            output.WriteLine("\nExamples:");
            foreach (var example in documented.Examples)
            {
                output.WriteLine($"  {example}");
            }
        }
    }

    private static void Section(TextWriter output, string title, IEnumerable<(string Left, string Right)> rows, int room)
    {
        var all = rows.ToList();
        if (all.Count == 0)
        {
            return;
        }

        output.WriteLine($"\n{title}:");
        var left = Math.Min(all.Max(r => r.Left.Length), 34);
        foreach (var row in all)
        {
            var lines = Wrap(row.Right, room - left - 4).ToList();
            if (row.Left.Length > left)
            {
                output.WriteLine($"  {row.Left}");
            }

            for (var i = 0; i < lines.Count; i++)
            {
                var label = i == 0 && row.Left.Length <= left ? row.Left : "";
                output.WriteLine($"  {label.PadRight(left)}  {lines[i]}");
            }
        }
    }

    private static string Named(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name).Distinct().OrderBy(n => n.Length));
        return option.ValueType == typeof(bool) || option is HelpOption ? names : $"{names} {option.HelpName ?? "VALUE"}";
    }

    private static string Described(Option option) => option.Required ? $"{option.Description} Required." : option.Description ?? "";

    private static void Paragraph(TextWriter output, string text, int room)
    {
        foreach (var line in Wrap(text, room))
        {
            output.WriteLine(line);
        }
    }

    private static IEnumerable<string> Wrap(string text, int room)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > room)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }
}
