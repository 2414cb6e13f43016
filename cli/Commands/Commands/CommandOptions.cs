using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Commands;

/// <summary>What `commands add` and `commands edit` take.</summary>
internal static class CommandOptions
{
    public static Argument<string> Name() => new("NAME") { Description = "Name of the command; case does not count." };

    public static readonly Option<string?> Description = new("--description") { Description = "What it does, in one line.", HelpName = "TEXT" };
    public static readonly Option<string?> TextFile = new("--text-file") { Description = "The text that sh runs on the host, from this file; - for standard input.", HelpName = "FILE" };
    public static readonly Option<int?> Timeout = new("--timeout") { Description = "Seconds after which it is ended; 300 if not given.", HelpName = "SECONDS" };
    public static readonly Option<string?> SuccessCodes = new("--success-codes") { Description = "Exit codes that say that it went well, with commas; 0 if not given.", HelpName = "LIST" };
    public static readonly Option<string?> As = Choice("--as", "root, or login: the user who logs in on the host. root if not given.", "root", "login");
    public static readonly Option<string?> Repeatable = Choice("--repeatable", "yes: it may be run again when nobody knows how far it came. no, if not given: then the run pauses and asks.", "yes", "no");
    public static readonly Option<string?> Uses = new("--uses") { Description = "Before and after what it is run, with commas: pre- or post- and install, uninstall, start, stop, restart or apply. Only by hand if not given.", HelpName = "LIST" };
    public static readonly Option<string?> OnFailure = Choice("--on-failure", "What its failure means after the change: pause, continue or undo. pause if not given. Before the change a failure ends the run.", "pause", "continue", "undo");

    public static IReadOnlyList<Option> All { get; } = [Description, TextFile, Timeout, SuccessCodes, As, Repeatable, Uses, OnFailure];

    public static CommandRequest Read(Invocation call, string? name) => new()
    {
        Name = name,
        Description = call.Get(Description),
        Text = call.Get(TextFile) is { } file ? SecretInput.All(file, "a command's text") : null,
        TimeoutSeconds = call.Get(Timeout),
        SuccessCodes = call.Get(SuccessCodes) is { } codes ? [.. List(codes).Select(c => int.TryParse(c, NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : throw new UsageException($"--success-codes: '{c}' is not a number."))] : null,
        AsRoot = call.Get(As) is { } who ? who == "root" : null,
        Repeatable = call.Get(Repeatable) is { } again ? again == "yes" : null,
        Uses = call.Get(Uses) is { } uses ? List(uses) : null,
        OnFailure = call.Get(OnFailure),
    };

    private static string[] List(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static Option<string?> Choice(string name, string description, params string[] words) =>
        new Option<string?>(name) { Description = description, HelpName = string.Join('|', words) }.AcceptOnlyFromAmong(words);
}
