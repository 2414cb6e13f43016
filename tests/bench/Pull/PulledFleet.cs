using System.Text.Json;
using Dapper;
using ManagedServers.Bench.Monitoring;
using ManagedServers.Bench.Provisioning;
using ManagedServers.Bench.Setup;
using ManagedServers.Lab;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Monitoring;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Pull;
using Microsoft.Extensions.Logging.Abstractions;

namespace ManagedServers.Bench.Pull;

/// <summary>Hosts from which the product fetches: logins of one lab host, each with a connection of its own, and behind them a stand-in for their agents and monitors.</summary>
internal sealed class PulledFleet : IAsyncDisposable
{
    private readonly LabHost lab;
    private readonly MonitoringNode node;
    private readonly HostPool pool;
    private readonly PullSessions sessions;
    private readonly PullStatistics step;
    private readonly string folder;

    private PulledFleet(LabHost lab, MonitoringNode node, HostPool pool, PullSessions sessions, string folder, int count)
    {
        (this.lab, this.node, this.pool, this.sessions, this.folder, Count) = (lab, node, pool, sessions, folder, count);
        var current = node.Get<CurrentMonitoring>();
        step = new PullStatistics(new PulledServers(node.Database, current), new StatisticsPull(sessions, node.Get<Ingestion>(), current), current);
    }

    public int Count { get; }

    public static async Task<PulledFleet> Start(BenchPostgres postgres, string folder, int count)
    {
        Directory.CreateDirectory(folder);
        await Script.Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, "key"));
        var (key, open) = (await File.ReadAllTextAsync(Path.Combine(folder, "key")), (await File.ReadAllTextAsync(Path.Combine(folder, "key.pub"))).Trim());
        var servers = Enumerable.Range(1, count).ToDictionary(n => $"h{n}", _ => Guid.CreateVersion7());
        var lab = await LabHost.Start(new LabOptions { Docker = false, Users = [.. servers.Keys.Select(name => new LabUser { Name = name, Password = "unused", AuthorizedKey = open })] });
        var pool = new HostPool(new HostsOptions(), TimeProvider.System, NullLogger<HostPool>.Instance);
        var address = HostAddress.Parse(lab.Address);
        var pinned = await pool.ReadHostKey(address, SshPort.Default);
        var targets = servers.ToDictionary(s => s.Value, s => new HostTarget
        {
            DisplayName = s.Key, Address = address, User = SshUser.Parse(s.Key), Credential = new PrivateKeyCredential(key), PinnedKey = pinned, Login = new HostLogin(LoginKind.Docker, $"/home/{s.Key}"),
        });
        var node = await MonitoringNode.Start(postgres);
        var fleet = new PulledFleet(lab, node, pool, new PullSessions((id, cancellationToken) => pool.Connect(targets[id], cancellationToken), TimeProvider.System, NullLogger<PullSessions>.Instance), folder, count);
        await fleet.Register(servers);
        await fleet.StandIn(servers);
        var keys = await lab.Run("cat /etc/ssh/ssh_host_ed25519_key.pub");
        await File.WriteAllTextAsync(Path.Combine(folder, "known_hosts"), $"{lab.Address} {string.Join(' ', keys.Split(' ').Take(2))}\n");
        return fleet;
    }

    /// <summary>As a run does it, one after another as fast as it goes.</summary>
    public async Task Sweep()
    {
        var sweep = await step.Sweep(TimeSpan.Zero, (_, _) => { }, CancellationToken.None);
        if (sweep.Read != Count || sweep.Records != 4 * Count)
        {
            throw new InvalidOperationException($"{sweep.Read} of {Count} were read, with {sweep.Records} records: {string.Join(" ", sweep.Failures)}");
        }
    }

    /// <param name="verb">As in by-hand/pull.sh.</param>
    /// <returns>Seconds.</returns>
    public Task<double> ByHand(string verb, int times = 1) => Script.Run(Script.ByHand("pull.sh"), verb, lab.Address, folder, $"{Count}", $"{times}");

    public async ValueTask DisposeAsync()
    {
        await sessions.DisposeAsync();
        await pool.DisposeAsync();
        await node.DisposeAsync();
        await lab.DisposeAsync();
    }

    private async Task Register(Dictionary<string, Guid> servers)
    {
        await using var connection = await node.Database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            insert into servers.server (id, name, address, ssh_port, ssh_user, authentication, credential, report_token, host_key_algorithm, host_key_fingerprint, login, login_home, statistics, created_by)
            values (@id, @name, @address, 22, @name, 'key', '', '', '', '', 'docker', '', 'pull', 'bench');
            insert into servers.component (server_id, name, version, image) values (@id, 'monitor', '', '');
            insert into monitoring.pull (server_id, due_at) values (@id, now())
            """, servers.Select(s => new { id = s.Value, name = s.Key, address = lab.Address }));
    }

    private async Task StandIn(Dictionary<string, Guid> servers)
    {
        await Write("/opt/agent.py", PayloadFiles.AgentScript);
        await Write("/opt/stand-in.py", await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "Pull", "stand-in.py")));
        await Write("/opt/servers.json", JsonSerializer.SerializeToUtf8Bytes(servers));
        await lab.Run("nohup python3 /opt/stand-in.py < /opt/servers.json > /var/log/stand-in 2>&1 & n=0; until [ -e /run/stand-in ]; do n=$((n + 1)); [ $n -lt 600 ] || { cat /var/log/stand-in; exit 1; }; sleep 0.1; done");
    }

    // One argument of a command holds 128 KiB.
    private async Task Write(string path, byte[] content)
    {
        foreach (var (part, n) in Convert.ToBase64String(content).Chunk(96 * 1024).Select((part, n) => (new string(part), n)))
        {
            await lab.Run($"printf %s '{part}' {(n == 0 ? ">" : ">>")} {path}.64");
        }

        await lab.Run($"base64 -d {path}.64 > {path}");
    }
}
