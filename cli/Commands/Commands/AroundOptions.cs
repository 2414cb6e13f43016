using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;

namespace ManagedServers.Cli.Commands.Commands;

/// <summary>What every command that changes a server takes about the commands around the change.</summary>
internal static class AroundOptions
{
    private static readonly Option<string[]> Pre = new("--pre-command") { Description = "Before anything is changed, run this command of the catalogue, or this text, in place of what is chosen for the server. May be given again.", HelpName = "NAME[=TEXT]" };
    private static readonly Option<string?> PreFile = new("--pre-commands-file") { Description = "The same from a JSON file: [{\"name\",\"command\",\"timeoutSeconds\",\"repeatable\",\"asRoot\"}, …].", HelpName = "FILE" };
    private static readonly Option<string[]> Post = new("--post-command") { Description = "The same at the end. May be given again.", HelpName = "NAME[=TEXT]" };
    private static readonly Option<string?> PostFile = new("--post-commands-file") { Description = "The same from a JSON file.", HelpName = "FILE" };
    private static readonly Option<bool> None = new("--no-commands") { Description = "Run no commands but those given here, also not those chosen for the server." };

    public static IReadOnlyList<Option> All { get; } = [Pre, PreFile, Post, PostFile, None];

    /// <summary>The request with what is given of them.</summary>
    public static T In<T>(Invocation call, T request) where T : CommandsRequest => request with { PreCommands = Side(call, PreFile, Pre), PostCommands = Side(call, PostFile, Post) };

    private static OperatorCommand[]? Side(Invocation call, Option<string?> file, Option<string[]> given)
    {
        OperatorCommand[] commands = [.. InstallInput.Commands(call.Get(file)), .. (call.Get(given) ?? []).Select(InstallInput.Command)];
        return commands.Length > 0 || call.Get(None) ? commands : null;
    }
}
