using System.Text.Json;
using Dapper;
using DotNet.Testcontainers.Configurations;
using ManagedServers.Engine;
using ManagedServers.Engine.Tests;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Tests.Alerts;
using ManagedServers.Workflows.Tests.RabbitMq;
using Npgsql;
using Testcontainers.PostgreSql;

namespace ManagedServers.Workflows.Tests;

/// <summary>One PostgreSQL for all tests of this project; each test takes a database of its own, copied from one with every migration applied.</summary>
public sealed class Database : IAsyncLifetime
{
    private const string Template = "migrated";
    private PostgreSqlContainer? container;
    private NpgsqlDataSource? server;
    private int made;

    public async Task InitializeAsync()
    {
        await DockerApi.Match();
        // Its image comes from a registry; every container here is removed by the fixture that made it.
        TestcontainersSettings.ResourceReaperEnabled = false;
        container = new PostgreSqlBuilder(Repository.Image("test-postgres")).WithCommand("-c", "max_connections=300").WithAutoRemove(true).Build();
        await container.StartAsync();
        server = NpgsqlDataSource.Create(container.GetConnectionString());
        await using var connection = await server.OpenConnectionAsync();
        await connection.ExecuteAsync($"create database {Template}");
        await using var template = NpgsqlDataSource.Create(ConnectionString(Template));
        await Migrator.Apply(template, typeof(Migrator).Assembly);
        await Migrator.Apply(template, typeof(Ingestion).Assembly);
    }

    /// <summary>A fresh database with every migration applied. The caller disposes of the source.</summary>
    public async Task<NpgsqlDataSource> Fresh()
    {
        // An idle connection to the template would refuse the copy.
        NpgsqlConnection.ClearAllPools();
        var name = $"test{Interlocked.Increment(ref made)}";
        await using var connection = await server!.OpenConnectionAsync();
        await connection.ExecuteAsync($"create database {name} template {Template}");
        return NpgsqlDataSource.Create(ConnectionString(name));
    }

    public async Task DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }

        if (container is not null)
        {
            await container.DisposeAsync();
        }
    }

    private string ConnectionString(string database) =>
        new NpgsqlConnectionStringBuilder(container!.GetConnectionString()) { Database = database, MaxPoolSize = 20 }.ConnectionString;
}

/// <summary>Put <c>[Collection(WithDatabase.Name)]</c> on a class and take <see cref="Database"/> in its constructor.</summary>
[CollectionDefinition(Name)]
public sealed class WithDatabase : ICollectionFixture<Database>, ICollectionFixture<SharedBroker>, ICollectionFixture<SharedMail>
{
    public const string Name = "database";
}

/// <summary>The working tree that the tests run in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    /// <summary>The name of an image that <c>./run images</c> made, in this machine's Docker engine.</summary>
    public static string Image(string label)
    {
        var manifest = Path("artifacts", "images", $"{label}.json");
        Assert.True(File.Exists(manifest), $"{manifest} is missing: ./run images makes it.");
        using var document = JsonDocument.Parse(File.ReadAllText(manifest));
        return document.RootElement.GetProperty("image").GetString()!;
    }

    private static string Find(string folder) =>
        File.Exists(System.IO.Path.Combine(folder, "ManagedServers.sln"))
            ? folder
            : Find(Directory.GetParent(folder)?.FullName ?? throw new InvalidOperationException("No ManagedServers.sln above the tests."));
}
