using System.Text.Json;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using ManagedServers.Tests;
using Npgsql;
using Testcontainers.PostgreSql;

namespace ManagedServers.Engine.Tests;

/// <summary>A real PostgreSQL in a container: one for the assembly, and one of its own for tests that restart it.</summary>
public sealed class TestPostgres : IAsyncDisposable
{
    private static readonly Lazy<Task<TestPostgres>> Shared = new(StartShared);
    private static int databases;

    private readonly PostgreSqlContainer container;

    private TestPostgres(PostgreSqlContainer container) => this.container = container;

    /// <summary>Docker's id, to restart it by.</summary>
    public string ContainerId => container.Id;

    public static async Task<TestPostgres> Start(int? port = null)
    {
        await DockerApi.Match();
        // The image of the reaper cannot be had everywhere; what is started here is removed here, by its id.
        TestcontainersSettings.ResourceReaperEnabled = false;
        var builder = new PostgreSqlBuilder(Image()).WithCommand("-c", "fsync=off", "-c", "max_connections=300").WithLabel("managed-servers.test", "engine");
        var container = (port is { } fixedPort ? builder.WithPortBinding(fixedPort, 5432) : builder).Build();
        await container.StartAsync();
        var postgres = new TestPostgres(container);
        await postgres.MakeTemplate();
        return postgres;
    }

    /// <summary>A fresh database with the engine's tables, from the shared container.</summary>
    public static async Task<string> Database() => await (await Shared.Value).NewDatabase();

    public async Task<string> NewDatabase()
    {
        var name = $"t{Interlocked.Increment(ref databases)}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"create database {name} template template_engine", connection);
        await create.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    public ValueTask DisposeAsync() => container.DisposeAsync();

    private static async Task<TestPostgres> StartShared()
    {
        var postgres = await Start();
        AfterLastTest.Do(postgres.DisposeAsync);
        return postgres;
    }

    private string ConnectionString(string database) => new NpgsqlConnectionStringBuilder(container.GetConnectionString())
    {
        Database = database,
        MaxPoolSize = 20,
    }.ConnectionString;

    private async Task MakeTemplate()
    {
        await using (var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false"))
        {
            await connection.OpenAsync();
            await using var create = new NpgsqlCommand("create database template_engine", connection);
            await create.ExecuteNonQueryAsync();
        }

        await using var source = NpgsqlDataSource.Create(ConnectionString("template_engine") + ";Pooling=false");
        await Migrator.Apply(source, typeof(IRuns).Assembly);
        await using var engine = new EngineDatabase(source);
        using var hangfire = new HangfireStorage(engine, new EngineOptions());
        hangfire.Storage.GetConnection().Dispose();
        hangfire.DropConnections();
    }

    private static string Image()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ManagedServers.sln")))
        {
            folder = folder.Parent;
        }

        var manifest = Path.Combine(folder!.FullName, "artifacts", "images", "test-postgres.json");
        return JsonDocument.Parse(File.ReadAllText(manifest)).RootElement.GetProperty("image").GetString()!;
    }
}
