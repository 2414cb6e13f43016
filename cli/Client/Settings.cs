using System.Globalization;
using System.Text.Json.Nodes;

namespace ManagedServers.Cli.Client;

/// <summary>Settings that are saved together, as they are or were.</summary>
public sealed record SettingsModule
{
    /// <summary>Its name.</summary>
    public required string Module { get; init; }

    /// <summary>Counts the changes; 0: as it comes with the product.</summary>
    public long Version { get; init; }

    /// <summary>All members.</summary>
    public required JsonObject Value { get; init; }

    /// <summary>When; null for version 0.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>By whom; null for version 0.</summary>
    public string? ChangedBy { get; init; }
}

/// <summary>What operators set for the whole product.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class SettingsApi(ProductHttp http)
{
    private const string Root = "/api/v2/settings";

    /// <summary>All modules.</summary>
    public Task<Answer<Page<SettingsModule>>> List(CancellationToken cancellationToken = default) => http.Get(Root, ClientJson.Default.PageSettingsModule, cancellationToken);

    /// <summary>One module.</summary>
    public Task<Answer<SettingsModule>> Get(string module, CancellationToken cancellationToken = default) => http.Get($"{Root}/{Query.Part(module)}", ClientJson.Default.SettingsModule, cancellationToken);

    /// <summary>What was set, newest first.</summary>
    public Task<Answer<Page<SettingsModule>>> History(string module, CancellationToken cancellationToken = default) =>
        http.Get($"{Root}/{Query.Part(module)}/history", ClientJson.Default.PageSettingsModule, cancellationToken);

    /// <summary>Sets what is named.</summary>
    /// <param name="module">Its name.</param>
    /// <param name="change">A JSON merge patch: null takes a member back to what it is at first.</param>
    /// <param name="version">Only if it is still of this version.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Answer<SettingsModule>> Change(string module, JsonObject change, long? version, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Patch, $"{Root}/{Query.Part(module)}{(version is { } seen ? string.Create(CultureInfo.InvariantCulture, $"?version={seen}") : "")}", change.ToJsonString(), ClientJson.Default.SettingsModule, cancellationToken: cancellationToken);
}
