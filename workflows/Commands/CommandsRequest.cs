namespace ManagedServers.Workflows.Commands;

/// <summary>Which commands are run around a change, for this once: null is the server's choice, an empty list none.</summary>
public record CommandsRequest
{
    public IReadOnlyList<CommandRequest>? PreCommands { get; init; }
    public IReadOnlyList<CommandRequest>? PostCommands { get; init; }

    /// <summary>Whoever asks gives text to a host's shell, or says which is given to it.</summary>
    public bool HasCommands() => PreCommands?.Count > 0 || PostCommands?.Count > 0;
}

/// <summary>A command of the catalogue, by its name alone, or an operator's own for this once.</summary>
public sealed record CommandRequest
{
    public string? Name { get; init; }

    /// <summary>Run by <c>sh</c> on the host, verbatim. Without it the name is one of the catalogue's, and everything else is as it stands there.</summary>
    public string? Command { get; init; }
    public int TimeoutSeconds { get; init; } = 300;

    /// <summary>It may be run again when nobody knows how far it came. Otherwise the run pauses and asks.</summary>
    public bool Repeatable { get; init; }

    /// <summary>Run as root, or as the user who logs in.</summary>
    public bool AsRoot { get; init; } = true;
}
