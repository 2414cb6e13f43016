using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Enrolment;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Routes;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ManagedServers.Workflows.Tests.Enrolment;

/// <summary>What enrolment needs of the product, on a database of its own.</summary>
internal sealed class EnrolmentHouse : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly string folder;

    private EnrolmentHouse(ServiceProvider services, string folder) => (this.services, this.folder) = (services, folder);

    public EnrolmentTokens Tokens => services.GetRequiredService<EnrolmentTokens>();

    public Workflows.Servers.Servers Servers => services.GetRequiredService<Workflows.Servers.Servers>();

    public Tokens Access => services.GetRequiredService<Tokens>();

    public static async Task<EnrolmentHouse> Of(Database database, TimeProvider time)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        var source = await database.Fresh();
        var folder = Directory.CreateTempSubdirectory("enrolment-").FullName;
        var key = await MasterKey.Open(Path.Combine(folder, "master.key"), source, CancellationToken.None);
        return new EnrolmentHouse(new ServiceCollection().AddLogging().AddSingleton(source).AddSingleton(time).AddSettings(key).AddAccess().AddHosts().AddRoutes().AddServers().AddEngine().AddEnrolment().BuildServiceProvider(), folder);
    }

    public async Task<Server> Add(string name) => await (await Servers.Add(new AddServer { Name = name, Installation = InstallationType.Manual }, "op")).Make();

    /// <summary>All rows that could hold a secret, as text.</summary>
    public async Task<string> Everything()
    {
        await using var connection = await services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync();
        return string.Join('\n', await connection.QueryAsync<string>(
            "select t::text from servers.enrolment_token t union all select t::text from servers.event t union all select t::text from access.token t union all select s::text from servers.server s"));
    }

    public async ValueTask DisposeAsync()
    {
        var source = services.GetRequiredService<NpgsqlDataSource>();
        await services.DisposeAsync();
        await source.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
