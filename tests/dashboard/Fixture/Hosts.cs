using Dapper;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ManagedServers.Dashboard.Tests;

/// <summary>
/// Registered servers without a host behind them: the row is written here, because adding one signs in on a real host (see tests/lab for those).
/// What they report comes in through the product's own ingestion; only its times are then moved into the past.
/// </summary>
public sealed class Hosts(IServiceProvider services)
{
    private NpgsqlDataSource Database => services.GetRequiredService<NpgsqlDataSource>();

    public async Task<Guid> Add(string name, params string[] components)
    {
        var id = Guid.CreateVersion7();
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Tokens.IssueForServer(transaction, id, name);
        await connection.ExecuteAsync(
            """
            insert into servers.server (id, name, address, ssh_port, ssh_user, authentication, credential, report_token, host_key_algorithm, host_key_fingerprint, created_by)
            values (@id, @name, '192.0.2.10', 22, 'root', 'password', '', '', 'ssh-ed25519', 'SHA256:uNiVztksCsDhcc0u9e8BrVBjZZMg53QoTWXz1Q4BQ3E', 'admin')
            """,
            new { id, name });
        await connection.ExecuteAsync(
            "insert into servers.component (server_id, name, version, image) values (@id, @component, @version, 'managed-servers/test:1')",
            components.Select(component => new { id, component, version = component == "dns" ? "3.2.6" : "0.1.0" }));
        await transaction.CommitAsync();
        return id;
    }

    public async Task LastRun(Guid server, Guid run)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await connection.ExecuteAsync("update servers.server set last_run_id = @run where id = @server", new { server, run });
    }

    /// <summary>What a look at its host has found.</summary>
    public async Task Drift(Guid server, params string[] found)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await connection.ExecuteAsync("insert into servers.drift_check (server_id, at) values (@server, now())", new { server });
        await connection.ExecuteAsync("insert into servers.drift (server_id, component, kind, subject, what) values (@server, 'dns', 'specification', @what, @what)", found.Select(what => new { server, what }));
    }

    /// <summary>A login that never becomes root, on a host whose system is known.</summary>
    public async Task Docker(Guid server)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await connection.ExecuteAsync("update servers.server set ssh_user = 'ops', login = 'docker', login_home = '/home/ops', operating_system = 'ubuntu' where id = @server", new { server });
    }

    /// <summary>Beats of the last two minutes, the newest just now.</summary>
    public async Task Beat(Guid server, int beats, params string[] running)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var epoch = Guid.NewGuid().ToString("n");
        await services.GetRequiredService<Ingestion>().Accept(server, new HeartbeatReport
        {
            Epoch = epoch, Now = now,
            Beats = [.. Enumerable.Range(0, beats).Select(i => Beat(beats - i, now.AddSeconds(-30 * i), running)).Reverse()],
        });
        await using var connection = await Database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            update monitoring.heartbeat set late = false, received_at = at + interval '0.2 s' where server_id = @server;
            update monitoring.source set first_at = first_at - interval '1 day' where server_id = @server;
            """,
            new { server });
    }

    /// <summary>A day of beats every four minutes up to a quarter of an hour ago, with a pause of two hours in it.</summary>
    public Task Measured(Guid server)
    {
        var now = TimeProvider.System.GetUtcNow();
        var random = new Random(7);
        var beats = Enumerable.Range(0, 360).Where(i => i is < 200 or > 230).Select(i =>
        {
            var day = 0.5 + 0.4 * Math.Sin(i / 360.0 * 2 * Math.PI);
            return Beat(i + 1, now.AddMinutes(4 * i - 24 * 60 - 15), ["dns", "monitor"]) with
            {
                Load = [day + random.NextDouble() * 0.4, day + 0.2, day + 0.1 + random.NextDouble() * 0.05],
                Cpu = new CpuUse(day / 3 + random.NextDouble() * 0.05, 0, day / 8, 0.5, 0.02 * random.NextDouble(), 0, 0, 0),
                Memory = new MemoryUse(4_000_000_000, (long)(2_900_000_000 - 6e8 * day), CachedBytes: 700_000_000 + i * 1_000_000L),
                Disks = [new DiskUse("/", 40_000_000_000, 17_000_000_000 + i * 9_000_000L, 2_500_000, 210_000), new DiskUse("/var/lib/docker", 100_000_000_000, 31_000_000_000 - i * 4_000_000L, 1, 1)],
                Connections = new ConnectionCount((int)(40 * day) + random.Next(8), 12, new TcpStates(20, 0, 0, 0, 0, 5 + random.Next(20), 0, 0, 0, 9, 0)),
                Network = [new NetworkUse("eth0", 5_000_000_000 + i * 90_000_000L + random.Next(30_000_000), 2_000_000_000 + i * 20_000_000L + random.Next(9_000_000))],
            };
        });
        return services.GetRequiredService<Ingestion>().Accept(server, new HeartbeatReport { Epoch = Guid.NewGuid().ToString("n"), Now = now, Beats = [.. beats] });
    }

    /// <summary>Everything about it happened so much earlier.</summary>
    public async Task Age(Guid server, TimeSpan by)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            update servers.server set created_at = created_at - @by where id = @server;
            update monitoring.heartbeat set at = at - @by, received_at = received_at - @by where server_id = @server;
            """,
            new { server, by });
    }

    public Task Hit(Guid server, params (string Name, string Type, long Count)[] hits) => Hit(server, 0, hits);

    /// <param name="other">Queries for names that have no row.</param>
    public async Task Hit(Guid server, long other, params (string Name, string Type, long Count)[] hits)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var named = hits.Sum(h => h.Count) + other;
        await services.GetRequiredService<Ingestion>().Accept(server, new DnsReport
        {
            Epoch = Guid.NewGuid().ToString("n"), Now = now,
            Samples =
            [
                new DnsSample
                {
                    Seq = 1, From = now.AddSeconds(-30), To = now, Queries = named + 2, Named = named, Other = other, Connected = true,
                    Names = [.. hits.Select(h => new NameCount("example.org.", h.Name, h.Type, h.Count, now.AddSeconds(-5)))],
                    Responses = new Dictionary<string, long> { ["NOERROR"] = named },
                },
            ],
        });
    }

    /// <summary>Six days of answers and leases.</summary>
    public Task Counted(Guid server)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var random = new Random(5);
        var samples = Enumerable.Range(0, 6 * 24 * 12 / 2).Select(i =>
        {
            var to = now.AddMinutes(-5 - 10 * (6 * 24 * 6 - 1 - i));
            var queries = 400 + random.Next(200);
            return new DnsSample
            {
                Seq = i + 1, From = to.AddSeconds(-10), To = to, Queries = queries, Connected = true,
                Responses = new Dictionary<string, long> { ["NOERROR"] = queries - 40, ["NXDOMAIN"] = 30, ["REFUSED"] = 10 },
                Transports = new Dictionary<string, long> { ["udp4"] = queries - 70, ["tcp4"] = 70 },
                Dhcp = new DhcpUse
                {
                    Packets = new Dictionary<string, long> { ["discover-received"] = 20 + random.Next(9), ["offer-sent"] = 20, ["ack-sent"] = 19 },
                    Subnets = [new SubnetUse("192.0.2.0/24", 200, 120 + i / 20 + random.Next(5), 1), new SubnetUse("198.51.100.0/25", 100, 40 + random.Next(3), 0)],
                },
            };
        });
        return services.GetRequiredService<Ingestion>().Accept(server, new DnsReport { Epoch = Guid.NewGuid().ToString("n"), Now = now, Samples = [.. samples] });
    }

    private static Heartbeat Beat(int seq, DateTimeOffset at, string[] running) => new()
    {
        Seq = seq, SentAt = at, AgentVersion = "1", UptimeSeconds = 86_400 * 12 + 4000, Load = [0.12, 0.2, 0.31],
        Memory = new MemoryUse(4_000_000_000, 2_900_000_000), Swap = new SwapUse(1_000_000_000, 12_000_000),
        Disks = [new DiskUse("/", 40_000_000_000, 17_000_000_000, 2_500_000, 210_000)], Connections = new ConnectionCount(9, 4),
        Docker = new DockerReport("running", "20.10.24"),
        Components = [.. running.Select(c => new ComponentReport(c, c == "dns" ? "3.2.6" : "0.1.0", "running", "managed-servers/test:1"))],
    };
}
