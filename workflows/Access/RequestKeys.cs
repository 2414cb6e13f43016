using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Access;

/// <summary>What accounts have asked for under their idempotency keys.</summary>
public sealed class RequestKeys(NpgsqlDataSource database)
{
    // Nobody tries a request again after that.
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>The key was used at this address, for another request.</summary>
    public async Task<bool> IsOfAnother(Guid account, string address, string key, byte[] digest, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<bool>(
            "select exists (select from access.request_key where account_id = @account and address = @address and key = @key and digest <> @digest)", new { account, address, key, digest });
    }

    /// <summary>The request was accepted.</summary>
    public async Task Keep(Guid account, string address, string key, byte[] digest, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            delete from access.request_key where at < now() - @Kept;
            insert into access.request_key (account_id, address, key, digest) values (@account, @address, @key, @digest) on conflict do nothing;
            """, new { account, address, key, digest, Kept });
    }
}
