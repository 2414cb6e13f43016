using System.Security.Cryptography;
using System.Text;
using Dapper;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Workflows.Access;

/// <summary>A token just made: the only time that its text is known.</summary>
public sealed record IssuedToken(Guid Id, string Token, DateTimeOffset? ExpiresAt);

/// <summary>A token as it is listed: its text is known to nobody.</summary>
/// <param name="Account">Whose it is.</param>
/// <param name="ExpiresAt">Null for never.</param>
/// <param name="Current">It came with the request that asks.</param>
public sealed record TokenView(Guid Id, string Name, string Account, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, bool Current);

/// <summary>There is no such token, or it is somebody else's.</summary>
public sealed class TokenNotFoundException(Guid id) : Exception($"There is no token {id}, or it is not yours. Which there are: msctl tokens list");

/// <summary>Bearer tokens: 32 random bytes, kept as SHA-256 only.</summary>
public sealed class Tokens
{
    /// <summary>How long a token lasts that is made without a word about it.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromDays(90);

    private readonly NpgsqlDataSource database;
    private readonly RememberedTokens remembered;
    private readonly TimeProvider time;

    internal Tokens(NpgsqlDataSource database, RememberedTokens remembered, TimeProvider time) => (this.database, this.remembered, this.time) = (database, remembered, time);

    private static readonly string[] ServersGroup = [Groups.Servers];

    public static string NewText() => "ms_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <param name="lifetime">Null for ever.</param>
    public async Task<IssuedToken> Issue(Guid accountId, string name, TimeSpan? lifetime, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from access.token where expires_at <= @now", new { now = time.GetUtcNow() });
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

    /// <summary>Lets what a server's user has end soon, without a moment in which it is gone and still needed.</summary>
    public static Task EndForServer(NpgsqlTransaction transaction, Guid serverId, TimeSpan lifetime) =>
        transaction.Connection!.ExecuteAsync(
            "update access.token t set expires_at = least(t.expires_at, now() + @lifetime) from access.account a where a.id = t.account_id and a.server_id = @serverId", new { serverId, lifetime }, transaction);

    /// <summary>Whose token it is, or null.</summary>
    public async Task<Account?> Find(string text, CancellationToken cancellationToken = default)
    {
        var hash = Hash(text);
        if (remembered.Find(hash) is { } known)
        {
            return known;
        }

        var moment = remembered.Moment;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var found = await connection.QuerySingleOrDefaultAsync<FoundToken>(
            """
            select a.id, a.name, a.groups, a.server_id as ServerId, t.expires_at as ExpiresAt
            from access.token t join access.account a on a.id = t.account_id
            where t.hash = @hash and (t.expires_at is null or t.expires_at > @now)
            """,
            new { hash, now = time.GetUtcNow() });
        if (found is null)
        {
            // Unknown tokens are not remembered: a flood of them must not fill the memory.
            return null;
        }

        // A hundred thousand servers have the same groups.
        var account = new Account { Id = found.Id, Name = found.Name, Groups = found.Groups is [Groups.Servers] ? ServersGroup : found.Groups, ServerId = found.ServerId };
        remembered.Remember(hash, account, found.ExpiresAt, moment);
        return account;
    }

    /// <summary>Tokens of people that are good now, the newest first. Those of servers come and go with them.</summary>
    /// <param name="accountId">Whose; null for everybody's.</param>
    /// <param name="current">The text of the one that came with the request; null for none.</param>
    public async Task<IReadOnlyList<TokenView>> List(Guid? accountId, string? current, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(Guid Id, string Name, string Account, DateTime CreatedAt, DateTime? ExpiresAt, bool Current)>(
            """
            select t.id, t.name, a.name, t.created_at, t.expires_at, t.hash is not distinct from @hash
            from access.token t join access.account a on a.id = t.account_id
            where a.server_id is null and (@accountId::uuid is null or a.id = @accountId) and (t.expires_at is null or t.expires_at > @now)
            order by t.created_at desc, t.id desc
            """, new { accountId, hash = current is null ? null : Hash(current), now = time.GetUtcNow() });
        return [.. rows.Select(r => new TokenView(r.Id, r.Name, r.Account, r.CreatedAt, r.ExpiresAt, r.Current))];
    }

    /// <summary>Ends a token.</summary>
    /// <param name="accountId">Whose it must be; null for anybody's.</param>
    /// <param name="current">The text of the one that came with the request; null for none.</param>
    /// <exception cref="TokenNotFoundException">There is none.</exception>
    public async Task<PreparedChange<Nothing>> Revoke(Guid id, Guid? accountId, string? current, CancellationToken cancellationToken = default)
    {
        var token = (await List(accountId, current, cancellationToken)).SingleOrDefault(t => t.Id == id) ?? throw new TokenNotFoundException(id);
        var until = token.ExpiresAt is { } end ? $"good until {end.UtcDateTime:yyyy-MM-dd HH:mm} UTC" : "good for ever";
        return new PreparedChange<Nothing>($"revoke the token '{token.Name}' of {token.Account}", [new("token", $"'{token.Name}' of {token.Account}, {until}", null)], async ct =>
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            var hash = await connection.QuerySingleOrDefaultAsync<byte[]>("delete from access.token where id = @id returning hash", new { id });
            if (hash is not null)
            {
                remembered.Forget(hash);
            }

            return Nothing.Value;
        })
        { Notes = [token.Current ? "It is the token that this very request came with: this sign-in ends (to begin another: msctl login)." : "Whoever works with it is signed out: a command line that was signed in with it must sign in again (msctl login)."] };
    }

    public async Task Revoke(string text, CancellationToken cancellationToken = default)
    {
        var hash = Hash(text);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from access.token where hash = @hash", new { hash });
        remembered.Forget(hash);
    }

    private static Task Insert(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid accountId, string name, IssuedToken token) =>
        connection.ExecuteAsync(
            "insert into access.token (id, account_id, name, hash, expires_at) values (@Id, @accountId, @name, @hash, @ExpiresAt)",
            new { token.Id, accountId, name, hash = Hash(token.Token), token.ExpiresAt }, transaction);

    private sealed record FoundToken
    {
        public Guid Id { get; init; }
        public string Name { get; init; } = "";
        public string[] Groups { get; init; } = [];
        public Guid? ServerId { get; init; }
        public DateTime? ExpiresAt { get; init; }
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
