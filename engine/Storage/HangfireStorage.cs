using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Hangfire's storage as the engine needs it, and its own: a Hangfire that the process uses beside it has another. See docs/engine.md for what each setting prevents.</summary>
internal sealed class HangfireStorage : IConnectionFactory, IDisposable
{
    public const string Schema = "hangfire";

    // Any number will do as long as nobody else uses it; "mshf" in ASCII.
    private const long SchemaLock = 0x6D736866;

    private readonly NpgsqlDataSource connections;

    // The engine need not wait for the disk: a job that a crash of PostgreSQL takes away is handed over again, one that it brings back does nothing.
    // Hangfire alone, which has no journal, must.
    public HangfireStorage(EngineDatabase database, EngineOptions options, bool waitsForDisk = false)
    {
        connections = NpgsqlDataSource.Create(database.ConnectionString(c =>
        {
            c.NoResetOnClose = true;
            c.MaxPoolSize = options.HangfirePoolSize;
            c.MinPoolSize = 0;
            c.Options = waitsForDisk ? c.Options : EngineDatabase.WithoutWaitingForDisk(c.Options);
            c.ApplicationName = database.SessionName("hangfire");
        }));
        // Nodes that start together on a new database would make its schema together, and one would fail.
        using var once = connections.OpenConnection();
        using var enter = new NpgsqlCommand($"select pg_advisory_lock({SchemaLock})", once);
        enter.ExecuteNonQuery();
        Storage = new PostgreSqlStorage(this, new PostgreSqlStorageOptions
        {
            SchemaName = Schema,
            QueuePollInterval = TimeSpan.FromSeconds(1),
            // Long polling leaves jobs fetched and never started; the sliding invisibility keeps long runs from being started twice.
            EnableLongPolling = false,
            UseSlidingInvisibilityTimeout = true,
            InvisibilityTimeout = TimeSpan.FromSeconds(60),
            DistributedLockTimeout = TimeSpan.FromMinutes(1),
            // A node that cannot reach its database at the start says so and ends, instead of running half.
            StartupConnectionMaxRetries = 0,
            AllowDegradedModeWithoutStorage = false,
        })
        { JobExpirationTimeout = TimeSpan.FromHours(1) };
        using var leave = new NpgsqlCommand($"select pg_advisory_unlock({SchemaLock})", once);
        leave.ExecuteNonQuery();
    }

    public PostgreSqlStorage Storage { get; }

    public NpgsqlConnection GetOrCreateConnection() => connections.CreateConnection();

    public void DropConnections() => connections.Clear();

    public void Dispose() => connections.Dispose();
}
