using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>A command of the catalogue.</summary>
public sealed record CatalogueCommand
{
    /// <summary>Unique.</summary>
    public required string Name { get; init; }

    /// <summary>What it does, in one line.</summary>
    public string? Description { get; init; }

    /// <summary>POSIX shell text.</summary>
    public required string Text { get; init; }

    /// <summary>How long it may take.</summary>
    public int TimeoutSeconds { get; init; }

    /// <summary>Exit codes that say that it went well.</summary>
    public IReadOnlyList<int> SuccessCodes { get; init; } = [];

    /// <summary>Otherwise as the user who logs in.</summary>
    public bool AsRoot { get; init; }

    /// <summary>It may be run again when nobody knows how far it came.</summary>
    public bool Repeatable { get; init; }

    /// <summary>For example <c>pre-install</c>.</summary>
    public IReadOnlyList<string> Uses { get; init; } = [];

    /// <summary><c>pause</c>, <c>continue</c> or <c>undo</c>: what a failure after the change means.</summary>
    public string? OnFailure { get; init; }

    /// <summary>It comes with the product.</summary>
    public bool BuiltIn { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>By whom.</summary>
    public string? ChangedBy { get; init; }
}

/// <summary>A command to be added, or what is changed about one; null leaves a thing as it is.</summary>
public sealed record CommandRequest
{
    /// <summary>Unique.</summary>
    public string? Name { get; init; }

    /// <summary>What it does, in one line.</summary>
    public string? Description { get; init; }

    /// <summary>POSIX shell text.</summary>
    public string? Text { get; init; }

    /// <summary>How long it may take.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Exit codes that say that it went well.</summary>
    public IReadOnlyList<int>? SuccessCodes { get; init; }

    /// <summary>As root, or as the user who logs in.</summary>
    public bool? AsRoot { get; init; }

    /// <summary>It may be run again when nobody knows how far it came.</summary>
    public bool? Repeatable { get; init; }

    /// <summary>For example <c>pre-install</c>.</summary>
    public IReadOnlyList<string>? Uses { get; init; }

    /// <summary><c>pause</c>, <c>continue</c> or <c>undo</c>.</summary>
    public string? OnFailure { get; init; }
}

/// <summary>Which commands are run around what is done to a server, in order; null leaves a side as it is.</summary>
/// <param name="PreCommands">Before.</param>
/// <param name="PostCommands">After.</param>
public sealed record ChosenCommands(IReadOnlyList<string>? PreCommands, IReadOnlyList<string>? PostCommands);

/// <summary>The catalogue of commands.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class CommandsApi(ProductHttp http)
{
    private const string Root = "/api/v2/commands";

    /// <summary>All of them.</summary>
    public Task<Answer<Page<CatalogueCommand>>> List(CancellationToken cancellationToken = default) => http.Get(Root, ClientJson.Default.PageCatalogueCommand, cancellationToken);

    /// <summary>One, with its text.</summary>
    public Task<Answer<CatalogueCommand>> Get(string name, CancellationToken cancellationToken = default) => http.Get($"{Root}/{Query.Part(name)}", ClientJson.Default.CatalogueCommand, cancellationToken);

    /// <summary>Adds one.</summary>
    public static ChangeRequest<CatalogueCommand> Add(CommandRequest request) =>
        new(HttpMethod.Post, Root, JsonSerializer.Serialize(request, ClientJson.Default.CommandRequest), ClientJson.Default.CatalogueCommand);

    /// <summary>Changes one.</summary>
    public static ChangeRequest<CatalogueCommand> Edit(string name, CommandRequest request) =>
        new(HttpMethod.Patch, $"{Root}/{Query.Part(name)}", JsonSerializer.Serialize(request, ClientJson.Default.CommandRequest), ClientJson.Default.CatalogueCommand);

    /// <summary>Removes one that no server uses.</summary>
    public static ChangeRequest<object> Remove(string name) => new(HttpMethod.Delete, $"{Root}/{Query.Part(name)}", null, null);

    /// <summary>Which are run for a server.</summary>
    public Task<Answer<ChosenCommands>> Chosen(string server, CancellationToken cancellationToken = default) =>
        http.Get($"/api/v2/pvservers/{Query.Part(server)}/commands", ClientJson.Default.ChosenCommands, cancellationToken);

    /// <summary>Chooses them.</summary>
    public static ChangeRequest<ChosenCommands> Choose(string server, ChosenCommands chosen) =>
        new(HttpMethod.Put, $"/api/v2/pvservers/{Query.Part(server)}/commands", JsonSerializer.Serialize(chosen, ClientJson.Default.ChosenCommands), ClientJson.Default.ChosenCommands);
}
