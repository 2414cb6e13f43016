using Dapper;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>The settings of RabbitMQ: one row for all nodes, its passwords encrypted.</summary>
public sealed class RabbitMqSettingsStore(NpgsqlDataSource database, Secrets secrets, RabbitMqNodes nodes)
{
    internal const string Purpose = "settings.rabbitmq";
    internal const string HostPurpose = "settings.rabbitmq-host";

    /// <summary>As they are shown.</summary>
    public async Task<RabbitMqOverview> Show(CancellationToken cancellationToken = default)
    {
        var settings = await Read(cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return new RabbitMqOverview
        {
            Enabled = settings.Enabled, Host = settings.Host, Port = settings.Port, VirtualHost = settings.VirtualHost, User = settings.User, HasPassword = settings.Password is not null,
            HostUser = settings.HostUser, Tls = settings.Tls, Authority = settings.Authority, Exchange = settings.Exchange, Queue = settings.Queue,
            DeadLetterQueue = RabbitMqTopology.Dead(settings.Queue), ChangedBy = settings.ChangedBy, ChangedAt = settings.ChangedAt,
            Nodes = await nodes.List(cancellationToken),
            Servers = [.. await connection.QueryAsync<string>("select name from servers.server where statistics = 'rabbitmq' order by lower(name)")],
        };
    }

    /// <summary>Changes them; every node follows within seconds.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public async Task<PreparedChange<RabbitMqOverview>> Change(RabbitMqChange change, string who, CancellationToken cancellationToken = default)
    {
        var before = await Read(cancellationToken);
        var after = RabbitMqRules.Apply(before, change);
        return new PreparedChange<RabbitMqOverview>("change the settings of RabbitMQ", before.ChangesTo(after), ct => Keep(change, who, ct))
        {
            Servers = (await Show(cancellationToken)).Servers, Notes = ["Every node of the product follows within seconds. A host has what its last install gave it: install it again."],
        };
    }

    private async Task<RabbitMqOverview> Keep(RabbitMqChange change, string who, CancellationToken cancellationToken)
    {
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            // One change after another: each is checked against what the one before has left.
            await connection.ExecuteAsync("lock table settings.rabbitmq in exclusive mode", transaction: transaction);
            var after = RabbitMqRules.Apply(await Read(connection, transaction), change);
            await connection.ExecuteAsync(
                """
                insert into settings.rabbitmq (id, enabled, host, port, virtual_host, username, password, host_username, host_password, tls, authority, exchange, queue, changed_by)
                values (@Id, @Enabled, @Host, @Port, @VirtualHost, @User, @password, @HostUser, @hostPassword, @Tls, @Authority, @Exchange, @Queue, @who)
                on conflict (singleton) do update set enabled = excluded.enabled, host = excluded.host, port = excluded.port, virtual_host = excluded.virtual_host,
                    username = excluded.username, password = excluded.password, host_username = excluded.host_username, host_password = excluded.host_password, tls = excluded.tls,
                    authority = excluded.authority, exchange = excluded.exchange, queue = excluded.queue, changed_by = excluded.changed_by, changed_at = now()
                """,
                new
                {
                    after.Id, after.Enabled, after.Host, after.Port, after.VirtualHost, after.User, password = Protect(Purpose, after.Id, after.Password), after.HostUser,
                    hostPassword = Protect(HostPurpose, after.Id, after.HostPassword), after.Tls, after.Authority, after.Exchange, after.Queue, who,
                }, transaction);
            await transaction.CommitAsync(cancellationToken);
        }

        return await Show(cancellationToken);
    }

    /// <summary>As those who connect need them.</summary>
    internal async Task<RabbitMqSettings> Read(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await Read(connection, null);
    }

    private async Task<RabbitMqSettings> Read(NpgsqlConnection connection, NpgsqlTransaction? transaction)
    {
        var kept = await connection.QuerySingleOrDefaultAsync<RabbitMqSettings>(
            """
            select xmin::text as version, id, enabled, host, port, virtual_host as VirtualHost, username as "user", password, host_username as HostUser, host_password as HostPassword,
                   tls, authority, exchange, queue, changed_by as ChangedBy, changed_at as ChangedAt
            from settings.rabbitmq
            """, transaction: transaction);
        return kept is null ? RabbitMqSettings.None
            : kept with { Password = Unprotect(Purpose, kept.Id, kept.Password), HostPassword = Unprotect(HostPurpose, kept.Id, kept.HostPassword) };
    }

    private string? Protect(string purpose, Guid id, string? secret) => secret is null ? null : secrets.Protect(purpose, id, secret);

    private string? Unprotect(string purpose, Guid id, string? kept) => kept is null ? null : secrets.Unprotect(purpose, id, kept);
}
