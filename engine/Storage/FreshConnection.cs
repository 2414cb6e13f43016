using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Connections for those who ask once and want an answer: operators and pages.</summary>
internal static class FreshConnection
{
    /// <summary>
    /// A connection that has just answered. After a restart of PostgreSQL, or the end of a session by an administrator, each pooled connection would fail with the
    /// first statement sent on it, which need not be one that may be repeated. So a statement that may is sent first; when it fails, Npgsql empties the pool, and the next
    /// connection is a new one. Who fails then, has no database.
    /// </summary>
    public static async Task<NpgsqlConnection> OpenFresh(this NpgsqlDataSource database, CancellationToken cancellationToken = default)
    {
        try
        {
            return await Open(database, cancellationToken);
        }
        catch (Exception fault) when (TransientFault.Is(fault) && fault.InnerException is not TimeoutException)
        {
            return await Open(database, cancellationToken);
        }
    }

    private static async Task<NpgsqlConnection> Open(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var ask = new NpgsqlCommand("select 1", connection);
            await ask.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
