using ManagedServers.Engine;
using ManagedServers.Workflows;
using Npgsql;

namespace ManagedServers.Api.Hosting;

/// <summary>The database, ready for use: started when it is the private one, migrated in any case.</summary>
internal sealed class OpenedDatabase : IAsyncDisposable
{
    // With Hangfire's own pool and the engine's dedicated connections this stays below the 100 that an ordinary PostgreSQL allows.
    private const int MostConnections = 40;
    private readonly PrivatePostgres? postgres;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);
    private readonly string session;
    private readonly CancellationTokenSource closing = new();
    private Task keeping = Task.CompletedTask;

    private OpenedDatabase(PrivatePostgres? postgres, NpgsqlDataSource source, string session) => (this.postgres, Source, this.session) = (postgres, source, session);

    public NpgsqlDataSource Source { get; }

    public static async Task<OpenedDatabase> Open(string dataFolder, string? connectionString, string nodeName, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(dataFolder);
        var postgres = connectionString is null ? await PrivatePostgres.Start(dataFolder, cancellationToken) : null;
        // Of this process alone: another one may have been started under the same node's name by mistake.
        var session = $"managed-servers/{nodeName}/{Guid.NewGuid():N}"[..Math.Min(63, nodeName.Length + 49)];
        var builder = new NpgsqlConnectionStringBuilder(connectionString ?? postgres!.ConnectionString)
        {
            ApplicationName = session, MaxPoolSize = MostConnections, IncludeErrorDetail = false,
        };
        Dapper.DefaultTypeMap.MatchNamesWithUnderscores = true;
        var opened = new OpenedDatabase(postgres, NpgsqlDataSource.Create(builder), session);
        try
        {
            await Migrator.Apply(opened.Source, typeof(IRuns).Assembly, cancellationToken);
            await Migrator.Apply(opened.Source, typeof(InvalidInputException).Assembly, cancellationToken);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on a private PostgreSQL that ends is started again.</summary>
    public void Keep(ILogger logger)
    {
        if (postgres is not null)
        {
            keeping = Keep(postgres, logger, closing.Token);
        }
    }

    private static async Task Keep(PrivatePostgres postgres, ILogger logger, CancellationToken closing)
    {
        using var timer = new PeriodicTimer(Look);
        while (!closing.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(closing);
                if (await postgres.Revive(closing))
                {
                    logger.LogWarning("The private PostgreSQL had ended and was started again. Its own log says more.");
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception fault) when (fault is InvalidOperationException or IOException)
            {
                logger.LogError("The private PostgreSQL has ended and does not start: {Why}", fault.Message);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await keeping;
        closing.Dispose();
        await Source.DisposeAsync();
        if (postgres is not null)
        {
            await postgres.Stop(session);
        }
    }
}
