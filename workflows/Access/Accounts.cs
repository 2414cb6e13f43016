using System.Security.Cryptography;
using Dapper;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Caching.Memory;
using Npgsql;

namespace ManagedServers.Workflows.Access;

/// <summary>People and server users, and the passwords of people.</summary>
public sealed class Accounts(NpgsqlDataSource database, IMemoryCache cache)
{
    internal const string Columns = "id, name, groups, server_id as ServerId, left(encode(sha256(coalesce(password_hash, '')::bytea), 'hex'), 16) as Stamp";

    // A right password stays known this long, so that a client with Basic authentication does not pay the slow hash for every request.
    private static readonly TimeSpan RememberedFor = TimeSpan.FromMinutes(1);
    private static readonly byte[] CacheKey = RandomNumberGenerator.GetBytes(32);
    private static readonly PasswordHasher<Account> Hasher = new();
    private static readonly string NobodysHash = Hasher.HashPassword(null!, Convert.ToHexString(RandomNumberGenerator.GetBytes(16)));

    /// <summary>The account, or null for an unknown name or a wrong password; both take equally long.</summary>
    public async Task<Account?> Verify(string name, string password, CancellationToken cancellationToken = default)
    {
        var remembered = Convert.ToHexString(HMACSHA256.HashData(CacheKey, System.Text.Encoding.UTF8.GetBytes($"{name.Length}:{name}{password}")));
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var account = await connection.QuerySingleOrDefaultAsync<Account>($"select {Columns} from access.account where lower(name) = lower(@name)", new { name });
        var hash = account is null ? null : await connection.QuerySingleOrDefaultAsync<string>("select password_hash from access.account where id = @Id", new { account.Id });
        if (account is not null && hash is not null && cache.TryGetValue(remembered, out string? known) && known == hash)
        {
            return account;
        }

        var right = Hasher.VerifyHashedPassword(null!, hash ?? NobodysHash, password) != PasswordVerificationResult.Failed;
        if (!right || account is null || hash is null)
        {
            return null;
        }

        cache.Set(remembered, hash, RememberedFor);
        return account;
    }

    /// <summary>Makes the first administrator. Gives its random password, or null when there is one already.</summary>
    public async Task<string?> EnsureAdministrator(CancellationToken cancellationToken = default)
    {
        var password = NewPassword();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var made = await connection.ExecuteAsync(
            """
            insert into access.account (id, name, groups, password_hash) values (@id, 'admin', @groups, @hash)
            on conflict do nothing
            """,
            new { id = Guid.CreateVersion7(), groups = new[] { Groups.GlobalAdmin }, hash = Hasher.HashPassword(null!, password) });
        return made == 1 ? password : null;
    }

    /// <summary>A new random password for the administrator; its tokens end.</summary>
    public async Task<string> ResetAdministrator(CancellationToken cancellationToken = default)
    {
        var password = NewPassword();
        await EnsureAdministrator(cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            update access.account set password_hash = @hash, groups = @groups where name = 'admin';
            delete from access.token where account_id = (select id from access.account where name = 'admin');
            """,
            new { hash = Hasher.HashPassword(null!, password), groups = new[] { Groups.GlobalAdmin } });
        return password;
    }

    // 120 bits in 24 letters and digits that cannot be mistaken for one another.
    private static string NewPassword() => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJKMNPQRSTUVWXYZ", 24);
}
