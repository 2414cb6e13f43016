using System.Security.Claims;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Access;

/// <summary>Sign-ins to the dashboard, each until it is ended, its account or password changes, or a week has passed.</summary>
public sealed class Sessions(NpgsqlDataSource database, Accounts accounts)
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
        var lives = await connection.QuerySingleAsync<bool>(
            "select exists (select from access.session where id = @session and account_id = @Id and ends_at > now())", new { session, claimed.Id });
        return lives && await accounts.Get(claimed.Id, cancellationToken) is { } account && account.Stamp == claimed.Stamp ? account : null;
    }

    public async Task End(ClaimsPrincipal user, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from access.session where id = @session", new { session = user.Session() });
    }
}
