using Dapper;
using ManagedServers.Lab;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.RabbitMq;
using ManagedServers.Workflows.Routes;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ManagedServers.Workflows.Tests.RabbitMq;

/// <summary>Nodes of the product on a database of their own, as far as statistics go, with a registered server.</summary>
internal sealed class BrokerHouse : IAsyncDisposable
{
    private readonly NpgsqlDataSource source;
    private readonly List<Microsoft.Extensions.Hosting.IHost> nodes = [];
    private readonly string folder = Directory.CreateTempSubdirectory("rabbitmq-").FullName;

    private BrokerHouse(NpgsqlDataSource source, LabBroker broker, string name) => (this.source, Broker, Name) = (source, broker, name);

    public LabBroker Broker { get; }

    /// <summary>Of the exchange; of the queue too.</summary>
    public string Name { get; }

    public NpgsqlDataSource Source => source;

    public RabbitMqSettingsStore Settings => Get<RabbitMqSettingsStore>();

    public static async Task<BrokerHouse> Of(Database database, SharedBroker shared)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        var house = new BrokerHouse(await database.Fresh(), await shared.Start(), shared.FreshName());
        await house.AddNode("first");
        return house;
    }

    public T Get<T>() where T : notnull => nodes[0].Services.GetRequiredService<T>();

    public async Task AddNode(string name)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        var key = await MasterKey.Open(Path.Combine(folder, "master.key"), source, CancellationToken.None);
        builder.Services.AddLogging().AddSingleton(source).AddSingleton(TimeProvider.System).AddSettings(key).AddAccess().AddHosts().AddRoutes().AddServers().AddMonitoring()
            .AddRabbitMq(new RabbitMqOptions { Node = name, Turn = TimeSpan.FromMilliseconds(200), FirstRetry = TimeSpan.FromMilliseconds(100), LongestRetry = TimeSpan.FromSeconds(1), FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(1) });
        var node = builder.Build();
        nodes.Add(node);
        await node.StartAsync();
    }

    /// <summary>As an operator sets it, over TLS.</summary>
    public RabbitMqChange Right() => new()
    {
        Enabled = true, Host = Broker.Address, VirtualHost = LabBroker.VirtualHost, User = LabBroker.User, Password = LabBroker.Password,
        HostUser = LabBroker.HostUser, HostPassword = LabBroker.HostPassword, Tls = true, Authority = Broker.AuthorityPem, Exchange = Name, Queue = Name,
    };

    public async Task Connect()
    {
        await (await Settings.Change(Right(), "admin")).Make();
        await Stands(RabbitMqState.Connected);
    }

    /// <summary>Waits until every node says so.</summary>
    public async Task<IReadOnlyList<RabbitMqNode>> Stands(RabbitMqState state)
    {
        IReadOnlyList<RabbitMqNode> said = [];
        await Payload.Until.True($"all nodes {state}", async () => (said = (await Settings.Show()).Nodes).Count == nodes.Count && said.All(n => n.State == state));
        return said;
    }

    public async Task<StandInMonitor> Monitor(string name)
    {
        var servers = Get<Workflows.Servers.Servers>();
        var server = await (await servers.Add(new AddServer { Name = name, Installation = InstallationType.Manual }, "op")).Make();
        return new StandInMonitor(this, server.Id, await servers.ReportToken(server.Id));
    }

    public async Task<long> Hits(Guid server)
    {
        await using var connection = await source.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>("select coalesce(sum(count), 0)::bigint from monitoring.dns_hit where server_id = @server", new { server });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.StopAsync();
            node.Dispose();
        }

        await source.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
