using System.Security.Claims;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Access;

/// <summary>Sign-ins to the dashboard, each until it is ended, its account or password changes, or a week has passed.</summary>
public sealed class Sessions(NpgsqlDataSource database)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    public async Task<ClaimsPrincipal> Begin(Account account, CancellationToken cancellationToken = default)
    {
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            delete from access.session where ends_at < now();
            insert into access.session (id, account_id, ends_at) values (@id, @accountId, now() + @Longest);
            """,
            new { id, accountId = account.Id, Longest });
        return AccountPrincipal.Of(account, AccountPrincipal.DashboardScheme, id);
    }

    /// <summary>The account as it is now, or null when the sign-in has ended.</summary>
    public async Task<Account?> Account(ClaimsPrincipal? user, CancellationToken cancellationToken = default)
    {
        if (user?.Account() is not { } claimed || user.Session() is not { } session)
        {
            return null;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var account = await connection.QuerySingleOrDefaultAsync<Account>(
            $"select {Accounts.Columns} from access.account a where id = @Id and exists (select from access.session s where s.id = @session and s.account_id = a.id and s.ends_at > now())",
            new { session, claimed.Id });
        return account?.Stamp == claimed.Stamp ? account : null;
    }

    public async Task End(ClaimsPrincipal user, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from access.session where id = @session", new { session = user.Session() });
    }
}
