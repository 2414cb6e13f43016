using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>One version of what a component was asked to serve.</summary>
public sealed record ConfigurationVersion
{
    /// <summary><c>dns</c> or <c>dhcp</c>.</summary>
    public required string Component { get; init; }

    /// <summary>1, 2, 3 for each component of a server.</summary>
    public required int Version { get; init; }

    /// <summary><c>install</c>, <c>apply</c>, <c>restore</c> or <c>accept</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Why.</summary>
    public string? Message { get; init; }

    /// <summary>Who asked for it.</summary>
    public required string Who { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The run that was to bring it to the host.</summary>
    public Guid? RunId { get; init; }

    /// <summary>Null when it never came to be served.</summary>
    public DateTimeOffset? AppliedAt { get; init; }

    /// <summary>It is what is served.</summary>
    public bool Current { get; init; }
}

/// <summary>A version, whole.</summary>
/// <param name="Version">Which.</param>
/// <param name="Dns">Zones and addresses; null for another component.</param>
/// <param name="Dhcp">Kea's document; null for another component.</param>
public sealed record Configuration(ConfigurationVersion Version, DnsConfiguration? Dns, JsonElement? Dhcp);

/// <summary>What DNS serves.</summary>
/// <param name="Zones">Its zones.</param>
/// <param name="Listen">Its addresses.</param>
/// <param name="Keys">For transfers, without their secrets.</param>
public sealed record DnsConfiguration(IReadOnlyList<Zone> Zones, IReadOnlyList<Listen> Listen, IReadOnlyList<TsigKey>? Keys = null);

/// <summary>What all components serve.</summary>
/// <param name="Items">One for each that serves.</param>
public sealed record CurrentConfiguration(IReadOnlyList<Configuration> Items);

/// <summary>What is different between two versions.</summary>
/// <param name="From">The one.</param>
/// <param name="To">The other.</param>
/// <param name="Changes">One for each zone or document that is not the same.</param>
public sealed record ConfigurationDiff(int From, int To, IReadOnlyList<ConfigurationChange> Changes);

/// <summary>What is different in one zone or document.</summary>
/// <param name="What">A zone's name, <c>settings</c> or <c>dhcp</c>.</param>
/// <param name="Diff">Unified.</param>
public sealed record ConfigurationChange(string What, string Diff);

/// <summary>What is to be different.</summary>
public sealed record ApplyRequest : CommandsRequest
{
    /// <summary>All zones that there are to be.</summary>
    public IReadOnlyList<Zone>? Zones { get; init; }

    /// <summary>Zones that are added or replaced.</summary>
    public IReadOnlyList<Zone>? SetZones { get; init; }

    /// <summary>Zones that go.</summary>
    public IReadOnlyList<string>? RemoveZones { get; init; }

    /// <summary>Zones that are not among all may go.</summary>
    public bool? DropZones { get; init; }

    /// <summary>Zones that are signed now need be so no longer.</summary>
    public bool? DropDnssec { get; init; }

    /// <summary>Keys that the zones name and the server does not have yet.</summary>
    public IReadOnlyList<TsigKey>? Keys { get; init; }

    /// <summary>Where DNS is to listen.</summary>
    public IReadOnlyList<Listen>? Listen { get; init; }

    /// <summary>Kea's document.</summary>
    public JsonElement? Dhcp { get; init; }

    /// <summary>Subnets that are not in it may go.</summary>
    public bool? DropSubnets { get; init; }

    /// <summary>Why.</summary>
    public string? Message { get; init; }

    /// <summary>The versions that were looked at.</summary>
    public BasedOn? BasedOn { get; init; }
}

/// <summary>The versions that were looked at.</summary>
/// <param name="Dns">Of DNS.</param>
/// <param name="Dhcp">Of DHCP.</param>
public sealed record BasedOn(int? Dns, int? Dhcp);

/// <summary>How an older version is brought back.</summary>
public sealed record RestoreRequest : CommandsRequest
{
    /// <summary>Zones that it has not may go.</summary>
    public bool? DropZones { get; init; }

    /// <summary>Zones that are signed now and not in it need be so no longer.</summary>
    public bool? DropDnssec { get; init; }

    /// <summary>Subnets that it has not may go.</summary>
    public bool? DropSubnets { get; init; }

    /// <summary>Why.</summary>
    public string? Message { get; init; }

    /// <summary>The version that was looked at.</summary>
    public int? BasedOn { get; init; }
}

/// <summary>What servers are asked to serve.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class ConfigurationApi(ProductHttp http)
{
    /// <summary>What each component serves.</summary>
    public Task<Answer<CurrentConfiguration>> Current(string server, CancellationToken cancellationToken = default) =>
        http.Get(Root(server), ClientJson.Default.CurrentConfiguration, cancellationToken);

    /// <summary>A page of versions, newest first.</summary>
    public Task<Answer<Page<ConfigurationVersion>>> Versions(string server, string component, int? limit, string? before, CancellationToken cancellationToken = default) =>
        http.Get(new Query($"{Root(server)}/{Query.Part(component)}/versions").With("limit", limit).With("before", before).ToString(), ClientJson.Default.PageConfigurationVersion, cancellationToken);

    /// <summary>One version, whole.</summary>
    public Task<Answer<Configuration>> Version(string server, string component, int version, CancellationToken cancellationToken = default) =>
        http.Get($"{Root(server)}/{Query.Part(component)}/versions/{version}", ClientJson.Default.Configuration, cancellationToken);

    /// <summary>What is different between two versions.</summary>
    public Task<Answer<ConfigurationDiff>> Diff(string server, string component, int from, int to, CancellationToken cancellationToken = default) =>
        http.Get(new Query($"{Root(server)}/{Query.Part(component)}/versions/{from}/diff").With("to", to).ToString(), ClientJson.Default.ConfigurationDiff, cancellationToken);

    /// <summary>Changes what is served.</summary>
    public static RunRequest Apply(string server, ApplyRequest request) => new($"{Root(server)}/apply", JsonSerializer.Serialize(request, ClientJson.Default.ApplyRequest));

    /// <summary>Brings an older version back.</summary>
    public static RunRequest Restore(string server, string component, int version, RestoreRequest request) =>
        new($"{Root(server)}/{Query.Part(component)}/versions/{version}/restore", JsonSerializer.Serialize(request, ClientJson.Default.RestoreRequest));

    private static string Root(string server) => $"/api/v2/pvservers/{Query.Part(server)}/configuration";
}
