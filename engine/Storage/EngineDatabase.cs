using Npgsql;

namespace ManagedServers.Engine;

/// <summary>
/// The engine's own pools beside the data source of the host, all to the same database with the same credentials:
/// one for the statements that each run sends again and again, one for logs and progress whose commits do not wait for the disk,
/// and single connections for the lease and for LISTEN.
/// </summary>
internal sealed class EngineDatabase : IAsyncDisposable
{
    /// <summary>The key of <see cref="Hot"/> in the container.</summary>
    public const string HotKey = "engine";

    private const int LogConnections = 4;

    // A run sends about ten different statements; prepared, they cost PostgreSQL half.
    private const int Prepared = 40;
    private readonly NpgsqlDataSource host;

    private readonly NodeIdentity? node;

    public EngineDatabase(NpgsqlDataSource host, NodeIdentity? node = null)
    {
        (this.host, this.node) = (host, node);
        Hot = NpgsqlDataSource.Create(ConnectionString(c =>
        {
            c.MaxAutoPrepare = Prepared;
            // Nothing here changes a session's state, and the reset would throw the plans away.
            c.NoResetOnClose = true;
            c.ApplicationName = SessionName("engine");
        }));
        Chatter = NpgsqlDataSource.Create(ConnectionString(c =>
        {
            c.MaxPoolSize = LogConnections;
            c.MinPoolSize = 0;
            c.MaxAutoPrepare = Prepared;
            c.NoResetOnClose = true;
            c.Options = WithoutWaitingForDisk(c.Options);
            c.ApplicationName = SessionName("engine log");
        }));
    }

    /// <summary>For claims and the journal: its statements stay prepared.</summary>
    public NpgsqlDataSource Hot { get; }

    /// <summary>For logs, progress and notes of jobs: a crash of PostgreSQL itself may cost their last moments, never the journal's.</summary>
    public NpgsqlDataSource Chatter { get; }

    public static string WithoutWaitingForDisk(string? options) => $"{options} -c synchronous_commit=off".Trim();

    /// <summary>How a pool's sessions are called: by its purpose and the incarnation, so that they are known when the process is gone.</summary>
    public string SessionName(string purpose) => node is null ? purpose : $"{purpose} {SessionMark(node.Incarnation)}";

    public static string SessionMark(Guid incarnation) => incarnation.ToString("N");

    /// <summary>
    /// For every transaction of more than one statement: a process that is frozen in the middle of it, or a host that is gone without a word, holds its locks for five
    /// seconds, not until somebody looks.
    /// </summary>
    public static Task LetGoWhenFrozen(NpgsqlTransaction transaction)
    {
        using var command = new NpgsqlCommand("set local idle_in_transaction_session_timeout = '5s'", transaction.Connection, transaction);
        return command.ExecuteNonQueryAsync();
    }

    /// <summary>A connection outside every pool, for one purpose, with short time-outs: who waits on it wants to know soon.</summary>
    public NpgsqlConnection Dedicated(string purpose, TimeSpan patience) => new(ConnectionString(c =>
    {
        c.Pooling = false;
        c.Timeout = Math.Max(1, (int)patience.TotalSeconds);
        c.CommandTimeout = Math.Max(1, (int)patience.TotalSeconds);
        c.CancellationTimeout = -1;
        c.ApplicationName = purpose;
    }));

    /// <summary>The host's connection string, password included, with changes. CloneWith is the documented way to keep the password.</summary>
    public string ConnectionString(Action<NpgsqlConnectionStringBuilder> change)
    {
        var changed = new NpgsqlConnectionStringBuilder(host.ConnectionString);
        change(changed);
        using var template = host.CreateConnection();
        using var clone = template.CloneWith(changed.ConnectionString);
        return clone.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        await Hot.DisposeAsync();
        await Chatter.DisposeAsync();
    }
}
