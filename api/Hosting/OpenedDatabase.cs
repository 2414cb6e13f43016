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
    private readonly string nodeName;

    private OpenedDatabase(PrivatePostgres? postgres, NpgsqlDataSource source, string nodeName) => (this.postgres, Source, this.nodeName) = (postgres, source, nodeName);

    public NpgsqlDataSource Source { get; }

    public static async Task<OpenedDatabase> Open(string dataFolder, string? connectionString, string nodeName, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(dataFolder);
        var postgres = connectionString is null ? await PrivatePostgres.Start(dataFolder, cancellationToken) : null;
        var builder = new NpgsqlConnectionStringBuilder(connectionString ?? postgres!.ConnectionString)
        {
            ApplicationName = $"managed-servers/{nodeName}", MaxPoolSize = MostConnections, IncludeErrorDetail = false,
        };
        Dapper.DefaultTypeMap.MatchNamesWithUnderscores = true;
        var opened = new OpenedDatabase(postgres, NpgsqlDataSource.Create(builder), nodeName);
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

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        if (postgres is not null)
        {
            await postgres.Stop(nodeName);
        }
    }
}
