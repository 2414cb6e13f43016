using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Commands;

/// <summary>The catalogue of commands that may be run on hosts.</summary>
internal static class CatalogueCommands
{
    private static readonly Argument<string> Name = CommandOptions.Name();
    private static readonly Option<string?> From = new("--from") { Description = "Begin with a copy of this command.", HelpName = "NAME" };
    private static readonly Option<string?> NewName = new("--name") { Description = "Its new name; servers that have chosen it go on with it.", HelpName = "NAME" };

    public static DocumentedCommand List() => new DocumentedCommand("list", "List the commands that may be run on hosts.") { Examples = ["msctl commands list"] }.Does(async (call, cancellationToken) =>
    {
        var commands = await call.Product.Commands.List(cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(commands.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("NAME", Fit.Whole), ("FROM", Fit.Whole), ("USES", Fit.Whole), ("DESCRIPTION", Fit.MayShrink));
        foreach (var command in commands.Value.Items)
        {
            table.Row(new Cell(command.Name, Tone.Strong), command.BuiltIn ? new Cell("product", Tone.Quiet) : command.ChangedBy, command.Uses.Count == 0 ? "by hand" : string.Join(",", command.Uses), command.Description);
        }

        table.Write(call.Screen, "No commands.");
        return ExitCode.Done;
    });

    public static DocumentedCommand Show() => new DocumentedCommand("show", "Show a command with its text.") { Examples = ["msctl commands show 'free port 53'"] }.With(Name).Does(async (call, cancellationToken) =>
    {
        Print(call, await call.Product.Commands.Get(call.Get(Name), cancellationToken), null);
        return ExitCode.Done;
    });

    public static DocumentedCommand Add() => new DocumentedCommand("add", "Add a command to the catalogue.")
    {
        Notes = ["Commands that come with the product cannot be changed: --from makes a copy of one, which can. The text is the only free text that reaches a shell of a host; it must hold no secret."],
        Examples = ["msctl commands add 'mount the zones' --text-file mount.sh --uses pre-install --repeatable yes", "msctl commands add 'free port 53 here' --from 'free port 53' --timeout 30"],
    }.With([Name, From, .. CommandOptions.All, StartedRuns.Plan]).Does(async (call, cancellationToken) =>
    {
        var request = CommandOptions.Read(call, call.Get(Name));
        if (call.Get(From) is { } from)
        {
            var copied = (await call.Product.Commands.Get(from, cancellationToken)).Value;
            request = request with
            {
                Description = request.Description ?? copied.Description, Text = request.Text ?? copied.Text, TimeoutSeconds = request.TimeoutSeconds ?? copied.TimeoutSeconds,
                SuccessCodes = request.SuccessCodes ?? copied.SuccessCodes, AsRoot = request.AsRoot ?? copied.AsRoot, Repeatable = request.Repeatable ?? copied.Repeatable,
                Uses = request.Uses ?? copied.Uses, OnFailure = request.OnFailure ?? copied.OnFailure,
            };
        }

        return await StoredChanges.Do(call, CommandsApi.Add(request), added => Print(call, added, "Added. To have it run around what is done to a server: msctl servers commands SERVER --pre NAME; by itself: msctl servers run-commands SERVER NAME"), cancellationToken);
    });

    public static DocumentedCommand Edit() => new DocumentedCommand("edit", "Change a command.")
    {
        Notes = ["What is not given stays as it is. Runs under way go on with the text that they were started with."],
        Examples = ["msctl commands edit 'mount the zones' --text-file mount.sh", "msctl commands edit 'mount the zones' --name 'mount zones' --timeout 60"],
    }.With([Name, NewName, .. CommandOptions.All, StartedRuns.Plan]).Does((call, cancellationToken) =>
        StoredChanges.Do(call, CommandsApi.Edit(call.Get(Name), CommandOptions.Read(call, call.Get(NewName))), edited => Print(call, edited, "Changed."), cancellationToken));

    public static DocumentedCommand Remove() => new DocumentedCommand("remove", "Remove a command that no server uses.") { Examples = ["msctl commands remove 'mount the zones'"] }.With(Name, StartedRuns.Plan).Does((call, cancellationToken) => StoredChanges.Do(call, CommandsApi.Remove(call.Get(Name)), _ =>
    {
        if (call.Json)
        {
            call.Screen.Json("""{"removed":true}""");
        }
        else
        {
            call.Screen.Note("Removed.");
        }
    }, cancellationToken));

    private static void Print(Invocation call, Answer<CatalogueCommand> answer, string? note)
    {
        if (call.Json)
        {
            call.Screen.Json(answer.Json);
            return;
        }

        var command = answer.Value;
        var page = new FieldPage(call.Screen);
        page.Field("Name", command.Name, Tone.Strong);
        page.Field("Description", command.Description);
        page.Field("From", command.BuiltIn ? "the product" : $"{command.ChangedBy}, {Words.Time(command.ChangedAt)}");
        page.Field("Uses", command.Uses.Count == 0 ? "by hand only" : string.Join(", ", command.Uses));
        page.Field("Runs as", command.AsRoot ? "root" : "the user who logs in");
        page.Field("Time limit", $"{command.TimeoutSeconds} s");
        page.Field("Success", $"exit code {string.Join(", ", command.SuccessCodes)}");
        page.Field("Repeatable", command.Repeatable ? "yes" : "no: interrupted half-way, the run pauses and asks");
        page.Field("On failure", $"before the change: the run ends; after it: {command.OnFailure}");
        page.Write();
        call.Screen.Line();
        foreach (var line in SafeText.Lines(command.Text))
        {
            call.Screen.Line($"  {line}");
        }

        if (note is not null)
        {
            call.Screen.Note(note);
        }
    }
}
