using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace ManagedServers.Tests.Monitoring;

/// <summary>Hosts report with the agent's and the monitor's own spools while the product and its database are killed; in full in <c>./run test chaos</c>.</summary>
[Trait("Category", "Chaos")]
public sealed class OutageTests
{
    private const int Hosts = 50;
    private static readonly bool Full = Environment.GetEnvironmentVariable("MANAGED_SERVERS_CHAOS") == "full";

    // Seconds of which the product is away for all but twenty.
    private static readonly int Seconds = Full ? 620 : 40;

    [Fact]
    public async Task Every_heartbeat_and_every_count_is_there_once_after_the_product_was_down_under_load_and_clocks_were_set()
    {
        await using var product = await ProductProcess.Start();
        await using var database = NpgsqlDataSource.Create(product.ConnectionString + ";Pooling=false"); // the database is killed in between
        var (servers, tokens) = await ReportingServer.Add(product, database, Hosts);
        var began = TimeProvider.System.GetUtcNow();
        using var spools = await Start(product, tokens);

        await Reaches(spools, 4);
        await product.Kill();
        await Reaches(spools, Seconds - 16);
        await product.Launch();
        await Reaches(spools, Seconds - 12);
        product.KillPostgres();
        await Reaches(spools, Seconds - 6);
        // As the network cuts it: requests are heard, and nobody hears the answer.
        Signal(product, "STOP");
        await Reaches(spools, Seconds - 3);
        Signal(product, "CONT");
        await Reaches(spools, Seconds);
        var sent = JsonSerializer.Deserialize<long[][]>((await spools.StandardOutput.ReadLineAsync())!)!;

        Assert.Equal(sent.Select(s => (s[0], s[1], s[2])), await Stored(database, servers));
        await using var connection = await database.OpenConnectionAsync();
        var (first, last) = await connection.QuerySingleAsync<(DateTime, DateTime)>("select min(at), max(at) from monitoring.heartbeat");
        Assert.True(first >= began.UtcDateTime.AddSeconds(-2) && last <= TimeProvider.System.GetUtcNow().UtcDateTime, $"A clock that was set put beats to {first:o} … {last:o}; they were made since {began:o}.");
        Assert.Equal(0, await connection.QuerySingleAsync<long>("select count(*) from monitoring.source where contested_at is not null or lost > 0"));
    }

    private static async Task<IEnumerable<(long, long, long)>> Stored(NpgsqlDataSource database, IReadOnlyList<Guid> servers)
    {
        await using var connection = await database.OpenConnectionAsync();
        var rows = await connection.QueryAsync<(Guid Server, long Beats, long Processes, long Queries, long Hits, long Responses)>("""
            select s.id, (select count(*) from monitoring.heartbeat h where h.server_id = s.id), (select sum(processes)::bigint from monitoring.heartbeat h where h.server_id = s.id),
                (select sum(queries)::bigint from monitoring.dns_minute m where m.server_id = s.id), (select sum(count)::bigint from monitoring.dns_hit d where d.server_id = s.id),
                (select sum(count)::bigint from monitoring.count_minute r where r.server_id = s.id and r.what = 'dns.responses')
            from unnest(@servers) s(id)
            """, new { servers = servers.ToArray() });
        var stored = rows.ToDictionary(r => r.Server);
        Assert.All(stored.Values, r => Assert.Equal((r.Queries, r.Queries), (r.Hits, r.Responses)));
        return servers.Select(s => (stored[s].Beats, stored[s].Processes, stored[s].Queries));
    }

    private static async Task<Process> Start(ProductProcess product, IReadOnlyList<string> tokens)
    {
        var settings = Path.Combine(product.DataFolder, "spools.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new
        {
            api = product.Address, caFile = product.AuthorityFile, folder = Path.Combine(product.DataFolder, "spools"), tokens, seconds = Seconds,
            steps = new[] { [7, 10, 7200], [13, 16, -7200], new[] { Seconds - 10, Seconds - 8, 7200 } },
        }));
        return Process.Start(new ProcessStartInfo("python3", [Path.Combine(AppContext.BaseDirectory, "spools.py"), Path.Combine(ProductProcess.Repository, "workflows", "Payload", "monitor"), settings])
        {
            RedirectStandardOutput = true,
        })!;
    }

    private static async Task Reaches(Process spools, int second)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(12));
        while (await spools.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (int.Parse(line, CultureInfo.InvariantCulture) == second)
            {
                return;
            }
        }

        throw new InvalidOperationException($"The spools ended with {spools.ExitCode} before second {second}.");
    }

    private static void Signal(ProductProcess product, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", product.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
