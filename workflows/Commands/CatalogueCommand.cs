using System.Diagnostics.CodeAnalysis;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Commands;

/// <summary>A command that may be run on hosts: text for a shell, with how it is run and what its end means.</summary>
public sealed record CatalogueCommand
{
    public required string Name { get; init; }
    public required string Description { get; init; }

    /// <summary>Run by <c>sh</c>, verbatim.</summary>
    public required string Text { get; init; }
    public required int TimeoutSeconds { get; init; }

    /// <summary>Exit codes that say that it went well.</summary>
    public required IReadOnlyList<int> SuccessCodes { get; init; }

    /// <summary>Otherwise as the user who logs in.</summary>
    public required bool AsRoot { get; init; }

    /// <summary>It may be run again when nobody knows how far it came. Otherwise the run pauses and asks.</summary>
    public required bool Repeatable { get; init; }

    /// <summary>Before and after what it is run: <c>pre-install</c>, <c>post-start</c>, …; empty where it is run by hand only.</summary>
    public required IReadOnlyList<string> Uses { get; init; }

    /// <summary>What its failure means after the change. Before it, a failure ends the run, and nothing was changed.</summary>
    public required CommandFailure OnFailure { get; init; }

    /// <summary>It comes with the product, and changes with it alone: a copy can be changed.</summary>
    public required bool BuiltIn { get; init; }
    public DateTimeOffset? ChangedAt { get; init; }
    public string? ChangedBy { get; init; }
}

/// <summary>What the failure of a command that comes after the change means for the run.</summary>
public enum CommandFailure
{
    /// <summary>It pauses until somebody retries, skips or cancels.</summary>
    Pause,

    /// <summary>It is noted, and the run goes on.</summary>
    Continue,

    /// <summary>Everything that the run changed is taken back.</summary>
    Undo,
}

/// <summary>What an operator writes into the catalogue, or changes in it: then null leaves a thing as it is.</summary>
public sealed record CatalogueRequest
{
    public string? Name { get; init; }
    public string? Description { get; init; }
    public string? Text { get; init; }
    public int? TimeoutSeconds { get; init; }
    public IReadOnlyList<int>? SuccessCodes { get; init; }
    public bool? AsRoot { get; init; }
    public bool? Repeatable { get; init; }
    public IReadOnlyList<string>? Uses { get; init; }
    public CommandFailure? OnFailure { get; init; }
}

/// <summary>The commands that are run around what is done to a server, by name and in order; of each, only those that are meant for what is done.</summary>
public sealed record ChosenCommands(IReadOnlyList<string>? PreCommands, IReadOnlyList<string>? PostCommands);

/// <summary>Before or after which workflow: <c>pre-install</c>.</summary>
public sealed record CommandUse : IParsed<CommandUse>
{
    public const string Pre = "pre";
    public const string Post = "post";

    /// <summary>Around nothing: it is run for its own sake.</summary>
    public const string ByHand = "run";

    /// <summary>Workflows around which commands are run.</summary>
    private static readonly string[] Workflows = ["install", "uninstall", "start", "stop", "restart", "apply"];

    private CommandUse(string text) => Text = text;

    public string Text { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out CommandUse? value, [NotNullWhen(false)] out string? brokenRule)
    {
        var known = text?.Split('-', 2) is [Pre or Post, var workflow] && Workflows.Contains(workflow);
        value = known ? new CommandUse(text!) : null;
        brokenRule = known ? null : $"must be '{Pre}-' or '{Post}-' and one of {string.Join(", ", Workflows)}";
        return known;
    }

    public override string ToString() => Text;
}

/// <summary>There is no such command.</summary>
public sealed class CommandNotFoundException(string name)
    : Exception($"There is no command '{(name.Length > 100 ? name[..100] + "…" : name)}'. Which there are: msctl commands list");

/// <summary>The command is not in a state for what was asked; the message says why and what to do.</summary>
public sealed class CommandConflictException(string code, string message) : Exception(message)
{
    /// <summary>Stable, for programs.</summary>
    public string Code { get; } = code;
}
