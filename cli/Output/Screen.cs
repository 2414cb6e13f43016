using System.Text;
using Spectre.Console;

namespace ManagedServers.Cli.Output;

/// <summary>
/// Where results and notes go: results to standard output, everything else to standard error, so that a pipe gets results only.
/// Colours and live displays on terminals only.
/// </summary>
internal sealed class Screen
{
    private readonly bool colourNotes;

    public Screen(bool noColor)
    {
        var dumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        var colour = !noColor && !dumb && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        IsTerminal = !Console.IsOutputRedirected;
        CanMove = IsTerminal && !dumb;
        Colour = colour && IsTerminal;
        colourNotes = colour && !Console.IsErrorRedirected;
        Out = Console.Out;
        Width = IsTerminal && Console.WindowWidth is > 0 and var width ? width : int.MaxValue;
    }

    public TextWriter Out { get; }

    /// <summary>Standard output is read by a person.</summary>
    public bool IsTerminal { get; }

    /// <summary>The terminal can move its cursor, so a display can be drawn again in place.</summary>
    public bool CanMove { get; }

    public bool Colour { get; }

    /// <summary>Columns; without end in a pipe.</summary>
    public int Width { get; }

    public string Paint(string text, Tone tone) => Colour ? Ansi(text, tone) : text;

    public void Line(string text = "") => Out.WriteLine(text);

    /// <summary>Something beside the result: a question's context, a warning, what to do next.</summary>
    public void Note(string text, Tone tone = Tone.Plain) => Console.Error.WriteLine(colourNotes ? Ansi(text, tone) : text);

    public void Json(string json) => Out.WriteLine(SafeText.Json(json).Trim());

    /// <summary>Spectre's console on standard output, with the same decisions about colour.</summary>
    public IAnsiConsole Live()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = Colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(Out),
        });
        console.Profile.Capabilities.Unicode = Out.Encoding is UTF8Encoding;
        return console;
    }

    private static string Ansi(string text, Tone tone) => tone switch
    {
        Tone.Good => $"\e[32m{text}\e[0m",
        Tone.Busy => $"\e[36m{text}\e[0m",
        Tone.Warning => $"\e[33m{text}\e[0m",
        Tone.Bad => $"\e[31m{text}\e[0m",
        Tone.Quiet => $"\e[2m{text}\e[0m",
        Tone.Strong => $"\e[1m{text}\e[0m",
        _ => text,
    };
}
