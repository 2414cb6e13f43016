using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dapper;
using ManagedServers.Bench.Setup;
using ManagedServers.Tests;
using Npgsql;

namespace ManagedServers.Bench.Ingest;

/// <summary>The real product as a process of its own with its private PostgreSQL, and the servers of a simulated fleet registered with it.</summary>
internal sealed class IngestProduct : IAsyncDisposable
{
    private const int Connections = 512;
    private readonly ProductProcess product;
    private readonly NpgsqlDataSource database;

    private IngestProduct(ProductProcess product, SimulatedFleet fleet)
    {
        (this.product, Fleet, database) = (product, fleet, NpgsqlDataSource.Create(product.ConnectionString));
        Simulator = new FleetSimulator(fleet, IPEndPoint.Parse(product.Address.Authority), X509Certificate2.CreateFromPem(File.ReadAllText(product.AuthorityFile)), Connections);
    }

    public SimulatedFleet Fleet { get; }

    public FleetSimulator Simulator { get; }

    public static async Task<IngestProduct> Start(int servers)
    {
        var product = new IngestProduct(await ProductProcess.Start(), new SimulatedFleet(servers));
        await product.Simulator.Connect();
        return product;
    }

    /// <summary>Adds the servers from one number to another, as those that are installed by hand: nothing ever logs in on them.</summary>
    public async Task Register(int from, int to)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            create temporary table simulated on commit preserve rows as
            select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id, n,
                sha256(('ms_' || translate(encode(sha256((@seed || n)::bytea), 'base64'), '+/=', '-_'))::bytea) as hash
            from generate_series(@from, @to - 1) n;
            insert into servers.server (id, name, installation, report_token, created_by) select id, 'simulated ' || n, 'manual', '', 'bench' from simulated;
            insert into access.account (id, name, groups, server_id) select id, 'server-' || replace(id::text, '-', ''), array['6c servers'], id from simulated;
            insert into access.token (id, account_id, name, hash) select id, id, 'agent of simulated ' || n, hash from simulated;
            drop table simulated;
            analyze servers.server, access.account, access.token;
            """, new { seed = SimulatedFleet.RegisterTokens, from, to }, commandTimeout: 0);
    }

    /// <summary>Processor time that the product and its PostgreSQL have used.</summary>
    public (TimeSpan Product, TimeSpan Postgres) Used() => (CpuTime.Of(product.ProcessId), CpuTime.Tree(product.PostgresId));

    /// <summary>Compares what is stored with what was sent.</summary>
    /// <exception cref="InvalidOperationException">Something was lost, or counted twice.</exception>
    public async Task MustBeThereOnce()
    {
        await using var connection = await database.OpenConnectionAsync();
        var stored = await connection.QuerySingleAsync<Sums>("""
            select count(*) as "Beats", coalesce(sum(processes), 0)::bigint as "Processes", coalesce(sum(memory_available), 0)::bigint as "Memory" from monitoring.heartbeat
            """, commandTimeout: 0);
        var marked = await connection.QuerySingleAsync<long>("select coalesce(sum(upper(r) - lower(r)), 0)::bigint from monitoring.source s, unnest(s.seen) r", commandTimeout: 0);
        if (stored != Fleet.Accepted || marked != stored.Beats)
        {
            throw new InvalidOperationException($"Not every heartbeat is there exactly once: accepted {Fleet.Accepted}, stored {stored}, marked as received {marked}.");
        }

        Bench.Say($"  {stored.Beats:N0} heartbeats sent, and there exactly once: numbers and sums are equal");
    }

    public async ValueTask DisposeAsync()
    {
        await Simulator.DisposeAsync();
        await database.DisposeAsync();
        await product.DisposeAsync();
    }
}
