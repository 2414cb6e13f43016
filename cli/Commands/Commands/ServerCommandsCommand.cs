using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Commands;

/// <summary>Which commands are run around what is done to a server.</summary>
internal static class ServerCommandsCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string[]> Pre = new("--pre") { Description = "Run this command before. May be given again; they are run in this order, in place of those chosen before.", HelpName = "COMMAND" };
    private static readonly Option<string[]> Post = new("--post") { Description = "Run this command after. May be given again.", HelpName = "COMMAND" };
    private static readonly Option<bool> NoPre = new("--no-pre") { Description = "Run none before." };
    private static readonly Option<bool> NoPost = new("--no-post") { Description = "Run none after." };

    public static DocumentedCommand Build() => new DocumentedCommand("commands", "Show or choose the commands that are run around changes of a server.")
    {
        Notes = ["Around installs, uninstalls, starts, stops, restarts and changes of what is served; of those chosen, each is run where its uses say. Their texts are copied when a run is started; it can be given others for once."],
        Examples = ["msctl servers commands ns1", "msctl servers commands ns1 --pre 'free port 53' --pre 'check free disk' --post 'ask DNS'", "msctl servers commands ns1 --no-post"],
    }.With(Name, Pre, Post, NoPre, NoPost, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var (pre, post) = (Side(call, Pre, NoPre, "pre"), Side(call, Post, NoPost, "post"));
        if (pre is not null || post is not null)
        {
            return await StoredChanges.Do(call, CommandsApi.Choose(call.Get(Name), new ChosenCommands(pre, post)), chosen => Tell(call, chosen), cancellationToken);
        }

        if (call.Get(StartedRuns.Plan))
        {
            throw new UsageException("Nothing to plan was given.", "Choose commands with --pre and --post, or none with --no-pre and --no-post");
        }

        Tell(call, await call.Product.Commands.Chosen(call.Get(Name), cancellationToken));
        return ExitCode.Done;
    });

    private static void Tell(Invocation call, Answer<ChosenCommands> chosen)
    {
        if (call.Json)
        {
            call.Screen.Json(chosen.Json);
            return;
        }

        var page = new FieldPage(call.Screen);
        page.Field("Before", Listed(chosen.Value.PreCommands));
        page.Field("After", Listed(chosen.Value.PostCommands));
        page.Write();
    }

    private static string[]? Side(Invocation call, Option<string[]> names, Option<bool> none, string side)
    {
        var given = call.Get(names) is { Length: > 0 } list ? list : null;
        return given is not null && call.Get(none) ? throw new UsageException($"Both --{side} and --no-{side} were given.") : call.Get(none) ? [] : given;
    }

    private static string Listed(IReadOnlyList<string>? names) => names is { Count: > 0 } ? string.Join("; ", names) : "none";
}
