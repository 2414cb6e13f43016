using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Extensions.Caching.Memory;
using Npgsql;

namespace ManagedServers.Workflows.Access;

/// <summary>A token just made: the only time that its text is known.</summary>
public sealed record IssuedToken(Guid Id, string Token, DateTimeOffset? ExpiresAt);

/// <summary>Bearer tokens: 32 random bytes, kept as SHA-256 only.</summary>
public sealed class Tokens(NpgsqlDataSource database, IMemoryCache cache, TimeProvider time)
{
    // How long a revoked token may still work on another node.
    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(10);

    public static string NewText() => "ms_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public async Task<IssuedToken> Issue(Guid accountId, string name, TimeSpan? lifetime, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var token = new IssuedToken(Guid.CreateVersion7(), NewText(), lifetime is { } l ? time.GetUtcNow() + l : null);
        await Insert(connection, null, accountId, name, token);
        return token;
    }

    /// <summary>A server's own user with its token, in the transaction that adds the server.</summary>
    public static async Task<string> IssueForServer(NpgsqlTransaction transaction, Guid serverId, string serverName)
    {
        var accountId = Guid.CreateVersion7();
        await transaction.Connection!.ExecuteAsync(
            "insert into access.account (id, name, groups, server_id) values (@accountId, @name, @groups, @serverId)",
            new { accountId, name = $"server-{serverId:n}", groups = new[] { Groups.Servers }, serverId }, transaction);
        var token = new IssuedToken(Guid.CreateVersion7(), NewText(), null);
        await Insert(transaction.Connection!, transaction, accountId, $"agent of {serverName}", token);
        return token.Token;
    }

    /// <summary>Removes a server's user and with it every token.</summary>
    public static Task RevokeForServer(NpgsqlTransaction transaction, Guid serverId) =>
        transaction.Connection!.ExecuteAsync("delete from access.account where server_id = @serverId", new { serverId }, transaction);

    /// <summary>Whose token it is, or null.</summary>
    public async Task<Account?> Find(string text, CancellationToken cancellationToken = default)
    {
        var hash = Hash(text);
        var key = "token:" + Convert.ToHexString(hash);
        if (cache.TryGetValue(key, out Account? known))
        {
            return known;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var account = await connection.QuerySingleOrDefaultAsync<Account>(
            """
            select a.id, a.name, a.groups, a.server_id as ServerId
            from access.token t join access.account a on a.id = t.account_id
            where t.hash = @hash and (t.expires_at is null or t.expires_at > @now)
            """,
            new { hash, now = time.GetUtcNow() });

        // Unknown tokens are not remembered: a flood of them must not fill the memory.
        return account is null ? null : cache.Set(key, account, RememberedFor);
    }

    public async Task Revoke(string text, CancellationToken cancellationToken = default)
    {
        var hash = Hash(text);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from access.token where hash = @hash", new { hash });
        cache.Remove("token:" + Convert.ToHexString(hash));
    }

    private static Task Insert(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid accountId, string name, IssuedToken token) =>
        connection.ExecuteAsync(
            "insert into access.token (id, account_id, name, hash, expires_at) values (@Id, @accountId, @name, @hash, @ExpiresAt)",
            new { token.Id, accountId, name, hash = Hash(token.Token), token.ExpiresAt }, transaction);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
