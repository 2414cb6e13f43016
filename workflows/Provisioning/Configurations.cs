using System.Collections.Concurrent;
using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning.Steps;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What operators asked servers to serve; every version is kept.</summary>
public sealed class Configurations(NpgsqlDataSource database, Secrets secrets)
{
    internal const string KeyPurpose = "tsig";

    private const string Select =
        """
        select c.id, c.component, c.version, c.source, c.message, c.created_by as who, c.created_at as at, c.run_id, c.applied_at, i.name is not null as current
        """;

    private const string From =
        "from servers.configuration c left join servers.component i on i.server_id = c.server_id and i.name = c.component and i.configuration_id = c.id";

    private readonly ConcurrentDictionary<Guid, ComponentConfiguration> drafts = new();

    /// <summary>What the server's DNS was last installed to serve; null when it has none.</summary>
    public async Task<DnsConfiguration?> InstalledDns(Guid serverId, CancellationToken cancellationToken = default) =>
        (await Current(serverId, Component.Dns, cancellationToken))?.Configuration.Dns;

    /// <summary>What the server's DHCP was last installed to serve; null when it has none.</summary>
    public async Task<KeaConfiguration?> InstalledDhcp(Guid serverId, CancellationToken cancellationToken = default) =>
        await Current(serverId, Component.Dhcp, cancellationToken) is { } current ? KeaConfiguration.Parse(current.Configuration.Document) : null;

    /// <summary>
    /// Zones whose DNSSEC keys lie on the server's host and nowhere else: all that it was asked to sign since the last uninstall. Knot makes keys before anything is proven,
    /// and keeps those of zones that it signs or serves no more.
    /// </summary>
    public async Task<IReadOnlyList<string>> ZonesWithKeys(Guid serverId, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<string>(
            """
            select distinct z ->> 'name' collate "C" from servers.configuration c join servers.server s on s.id = c.server_id
            cross join lateral json_array_elements(c.document -> 'zones') z
            where c.server_id = @serverId and c.component = @component and (z ->> 'dnssec')::boolean
              and coalesce(c.applied_at, c.created_at) > coalesce(s.uninstalled_at, '-infinity') order by 1
            """, new { serverId, component = Component.Dns })];
    }

    /// <summary>The versions of one component or of all, newest first.</summary>
    /// <param name="before">Only older ones.</param>
    public async Task<IReadOnlyList<ConfigurationVersion>> List(Guid serverId, string? component, int? before, int limit, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return [.. await connection.QueryAsync<ConfigurationVersion>(
            $"""
            {Select} {From} where c.server_id = @serverId and (@component::text is null or c.component = @component) and (@before::int is null or c.version < @before)
            order by c.version desc, c.component limit @limit
            """, new { serverId, component, before, limit })];
    }

    /// <summary>Lets a plan look at a configuration that is not kept yet, until it is disposed of.</summary>
    internal IDisposable Draft(NewConfiguration configuration)
    {
        drafts[configuration.Id] = configuration.Configuration;
        return new DraftEnd(drafts, configuration.Id);
    }

    /// <summary>Which of these names, zones or subnets, the other servers serve too: by name, the names of those servers.</summary>
    internal async Task<ILookup<string, string>> ServedElsewhere(Guid serverId, string component, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        // Of zones the names alone: their files may be large.
        var others = component == Component.Dns
            ? await connection.QueryAsync<(string Server, string Name)>(
                """
                select s.name, z ->> 'name' from servers.component i join servers.server s on s.id = i.server_id join servers.configuration c on c.id = i.configuration_id
                cross join lateral json_array_elements(c.document -> 'zones') z
                where i.name = 'dns' and i.server_id <> @serverId and z ->> 'name' = any (@names)
                """, new { serverId, names = names.ToArray() })
            : (await connection.QueryAsync<(string Server, string Document)>(
                """
                select s.name, c.document::text from servers.component i join servers.server s on s.id = i.server_id join servers.configuration c on c.id = i.configuration_id
                where i.name = @component and i.server_id <> @serverId
                """, new { serverId, component })).SelectMany(o => ComponentConfiguration.Of(KeaConfiguration.Parse(JsonSerializer.Deserialize<JsonElement>(o.Document))).Served.Keys.Where(names.Contains).Select(n => (o.Server, n)));
        return others.OrderBy(o => o.Item1, StringComparer.Ordinal).ToLookup(o => o.Item2, o => o.Item1);
    }

    /// <summary>The version that the component serves; null when it serves nothing yet.</summary>
    internal Task<StoredConfiguration?> Current(Guid serverId, string component, CancellationToken cancellationToken) =>
        Single("i.name = @component and c.server_id = @serverId", new { serverId, component }, cancellationToken);

    /// <exception cref="ConfigurationNotFoundException">There is no such version.</exception>
    internal async Task<StoredConfiguration> Version(Server server, string component, int version, CancellationToken cancellationToken) =>
        await Single("c.server_id = @id and c.component = @component and c.version = @version", new { server.Id, component, version }, cancellationToken)
        ?? throw new ConfigurationNotFoundException($"{server.Name} has no version {version} of {component}. Which there are: msctl config versions {server.Argument}");

    internal async Task<ComponentConfiguration> Get(Guid id, CancellationToken cancellationToken) => drafts.TryGetValue(id, out var draft) ? draft
        : (await Single("c.id = @id", new { id }, cancellationToken) ?? throw new StepRejectedException("The configuration is gone: its server was removed.")).Configuration;

    /// <summary>Keeps it under the next number of its component.</summary>
    internal async Task Save(NpgsqlTransaction transaction, Guid serverId, Guid runId, NewConfiguration made, string who)
    {
        var document = Kept(made).GetRawText();
        // Of two who ask at once, the second must see the first's number.
        await transaction.Connection!.ExecuteAsync("select from servers.server where id = @serverId for update", new { serverId }, transaction);
        await transaction.Connection!.ExecuteAsync(
            """
            insert into servers.configuration (id, server_id, component, version, source, message, document, created_by, run_id)
            select @Id, @serverId, @Component, coalesce(max(version), 0) + 1, @source, @Message, @document::json, @who, @runId
            from servers.configuration where server_id = @serverId and component = @Component
            """,
            new
            {
                made.Id, serverId, made.Configuration.Component, source = made.Source.ToString().ToLowerInvariant(), Message = made.Message is null ? null : secrets.Redact(made.Message),
                document, who, runId,
            }, transaction);
    }

    /// <summary>It is what the component serves from now on.</summary>
    internal async Task SetApplied(Guid serverId, IReadOnlyList<InstalledConfiguration> applied, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            with applied as (update servers.component set configuration_id = @Id, configuration_digest = @digest, specification = coalesce(@Specification, specification)
                             where server_id = @serverId and name = @Component),
                 drifted as (delete from servers.drift where server_id = @serverId and component = @Component)
            update servers.configuration set applied_at = coalesce(applied_at, now()) where id = @Id
            """, applied.Select(a => new { serverId, a.Component, a.Id, a.Specification, digest = a.Kept is [var newest, ..] ? newest : null }));
    }

    /// <summary>As it is kept: keys are not readable in the database.</summary>
    private JsonElement Kept(NewConfiguration made) => made.Configuration.Dns is { Keys.Count: > 0 } dns
        ? JsonSerializer.SerializeToElement(dns with { Keys = [.. dns.Keys.Select(k => k with { Secret = secrets.Protect(KeyPurpose, made.Id, k.Secret!) })] }, EngineJson.Options)
        : made.Configuration.Document;

    private ComponentConfiguration Opened(ConfigurationVersion version, JsonElement document)
    {
        var kept = ComponentConfiguration.Read(version.Component, document);
        return kept is null ? ComponentConfiguration.Of(KeaConfiguration.Parse(document))
            : ComponentConfiguration.Of(kept with { Keys = [.. kept.Keys.Select(k => k with { Secret = secrets.Unprotect(KeyPurpose, version.Id, k.Secret!) })] });
    }

    private async Task<StoredConfiguration?> Single(string where, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var found = await connection.QueryAsync<ConfigurationVersion, string, StoredConfiguration>(
            $"{Select}, c.document::text as document {From} where {where}",
            (version, document) => new StoredConfiguration(version, Opened(version, JsonSerializer.Deserialize<JsonElement>(document))), parameters, splitOn: "document");
        return found.SingleOrDefault();
    }

    private sealed class DraftEnd(ConcurrentDictionary<Guid, ComponentConfiguration> drafts, Guid id) : IDisposable
    {
        public void Dispose() => drafts.TryRemove(id, out _);
    }
}

/// <summary>Where a version came from.</summary>
public enum ConfigurationSource
{
    Install,
    Apply,

    /// <summary>It is what an older version was.</summary>
    Restore,

    /// <summary>It was found on the host.</summary>
    Accept,
}

/// <summary>One version of what a component of a server was asked to serve.</summary>
public sealed record ConfigurationVersion
{
    internal Guid Id { get; init; }
    public required string Component { get; init; }

    /// <summary>1, 2, 3 for each component of a server.</summary>
    public required int Version { get; init; }
    public required ConfigurationSource Source { get; init; }
    public string? Message { get; init; }
    public required string Who { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>The run that was to bring it to the host.</summary>
    public Guid? RunId { get; init; }

    /// <summary>Null when it never came to be served: its run has failed, or has not ended.</summary>
    public DateTimeOffset? AppliedAt { get; init; }

    /// <summary>It is what the component serves.</summary>
    public required bool Current { get; init; }

    internal string InWords() => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"version {Version} ({Source.ToString().ToLowerInvariant()} by {Who}, {At.UtcDateTime:yyyy-MM-dd HH:mm} UTC{(Message is null ? "" : $": {Message}")})");
}

internal sealed record StoredConfiguration(ConfigurationVersion Version, ComponentConfiguration Configuration);

/// <summary>A version that is to be served.</summary>
/// <param name="IsNew">Otherwise it is the one that is served already.</param>
internal sealed record NewConfiguration(Guid Id, ComponentConfiguration Configuration, ConfigurationSource Source, string? Message, bool IsNew)
{
    public static NewConfiguration Of(ComponentConfiguration wanted, StoredConfiguration? current, ConfigurationSource source, string? message)
    {
        if (wanted.Dns is { } dns && current?.Configuration.Dns is { } served)
        {
            wanted = ComponentConfiguration.Of(dns.After(served));
        }

        return current is not null && current.Configuration.SameAs(wanted)
            ? new NewConfiguration(current.Version.Id, current.Configuration, source, message, IsNew: false)
            : new NewConfiguration(Guid.CreateVersion7(), wanted, source, message, IsNew: true);
    }
}

/// <summary>The server has no such version, or no such zone in it.</summary>
public sealed class ConfigurationNotFoundException(string message) : Exception(message);
