using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>What operators asked servers to serve; every version is kept.</summary>
public sealed class Configurations(NpgsqlDataSource database)
{
    /// <summary>What the server was last installed to serve; null when it has no DNS.</summary>
    public async Task<DnsConfiguration?> Installed(Guid serverId, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var document = await connection.QuerySingleOrDefaultAsync<string?>(
            """
            select c.document::text from servers.component i join servers.configuration c on c.id = i.configuration_id where i.server_id = @serverId and i.name = @Dns
            """, new { serverId, Component.Dns });
        return document is null ? null : Read(document);
    }

    internal async Task<DnsConfiguration> Get(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return Read(await connection.QuerySingleAsync<string>("select document::text from servers.configuration where id = @id", new { id }));
    }

    internal static Task Save(NpgsqlTransaction transaction, Guid serverId, Guid id, DnsConfiguration configuration, string who) =>
        transaction.Connection!.ExecuteAsync(
            "insert into servers.configuration (id, server_id, document, created_by) values (@id, @serverId, @document::jsonb, @who)",
            new { id, serverId, document = JsonSerializer.Serialize(configuration, EngineJson.Options), who }, transaction);

    private static DnsConfiguration Read(string document) => JsonSerializer.Deserialize<DnsConfiguration>(document, EngineJson.Options)!;
}
