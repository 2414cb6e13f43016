using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using Npgsql;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What operators asked servers to serve; every version is kept.</summary>
public sealed class Configurations(NpgsqlDataSource database)
{
    /// <summary>What the server's DNS was last installed to serve; null when it has none.</summary>
    public async Task<DnsConfiguration?> InstalledDns(Guid serverId, CancellationToken cancellationToken = default) =>
        (await Installed(serverId, Component.Dns, cancellationToken))?.Deserialize<DnsConfiguration>(EngineJson.Options);

    /// <summary>What the server's DHCP was last installed to serve; null when it has none.</summary>
    public async Task<KeaConfiguration?> InstalledDhcp(Guid serverId, CancellationToken cancellationToken = default) =>
        await Installed(serverId, Component.Dhcp, cancellationToken) is { } document ? KeaConfiguration.Parse(document) : null;

    internal async Task<ComponentConfiguration> Get(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (component, document) = await connection.QuerySingleAsync<(string, string)>("select component, document::text from servers.configuration where id = @id", new { id });
        return ComponentConfiguration.Of(component, JsonSerializer.Deserialize<JsonElement>(document));
    }

    internal static Task Save(NpgsqlTransaction transaction, Guid serverId, Guid id, ComponentConfiguration configuration, string who) =>
        transaction.Connection!.ExecuteAsync(
            "insert into servers.configuration (id, server_id, component, document, created_by) values (@id, @serverId, @Component, @document::json, @who)",
            new { id, serverId, configuration.Component, document = configuration.Document.GetRawText(), who }, transaction);

    private async Task<JsonElement?> Installed(Guid serverId, string component, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var document = await connection.QuerySingleOrDefaultAsync<string?>(
            """
            select c.document::text from servers.component i join servers.configuration c on c.id = i.configuration_id where i.server_id = @serverId and i.name = @component
            """, new { serverId, component });
        return document is null ? null : JsonSerializer.Deserialize<JsonElement>(document);
    }
}
