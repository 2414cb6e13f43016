using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;
using ManagedServers.Tests;

namespace ManagedServers.Bench.Provisioning;

/// <summary>One host: installed by the product or by the script, and made as new again.</summary>
internal sealed class FleetHost
{
    public const string Zone = "example.org";
    private const string Root = "/var/lib/managed-servers";
    private static readonly string[] Ended = ["succeeded", "failed", "cancelled", "paused"];
    private readonly Fleet fleet;
    private readonly string folder;

    private FleetHost(Fleet fleet, LabHost lab, string name) => (this.fleet, Lab, Name, folder) = (fleet, lab, name, Path.Combine(fleet.Folder, name));

    public LabHost Lab { get; }

    public string Name { get; }

    public static async Task<FleetHost> Register(Fleet fleet, LabHost lab, string name)
    {
        var host = new FleetHost(fleet, lab, name);
        Directory.CreateDirectory(host.folder);
        var key = (await fleet.Post("/api/v2/pvservers/probe", new { address = lab.Address })).GetProperty("fingerprint").GetString();
        await fleet.Post("/api/v2/pvservers", new { name, address = lab.Address, privateKey = await File.ReadAllTextAsync(fleet.KeyFile), hostKey = key });
        await host.Install();
        await host.PackForTheScript();
        await host.MakeNew();
        return host;
    }

    /// <summary>Seconds from the request to the end of the run.</summary>
    public Task<double> Install(string? zone = null) => Run("install", new { zones = new[] { new { name = Zone, file = zone ?? ZoneText("192.0.2.2", 1) } } });

    public Task<double> InstallByHand() => Script.Run(Script.ByHand("install.sh"), Lab.Address, folder);

    /// <summary>Takes everything away, and ends the SSH connection unless it is to stay open.</summary>
    public async Task MakeNew(bool keepConnection = false)
    {
        await Run("uninstall", new { });
        if (!keepConnection)
        {
            await CutConnections();
        }
    }

    public Task CutConnections() => Lab.Run("pkill -f '^sshd: root' || true");

    public async Task<int> LoginsSoFar() => int.Parse(await Lab.Run("grep -c '^Accepted ' /var/log/ssh.log || true"), CultureInfo.InvariantCulture);

    /// <summary>Seconds from the request to the answer on the wire.</summary>
    public async Task<double> Apply(string value, int serial)
    {
        var started = Stopwatch.GetTimestamp();
        var served = Served(value, started);
        await Run("configuration/apply", new { setZones = new[] { new { name = Zone, file = ZoneText(value, serial) } } });
        return await served;
    }

    public async Task<double> ApplyByHand(string value, int serial)
    {
        var file = Path.Combine(folder, "zone");
        await File.WriteAllTextAsync(file, ZoneText(value, serial));
        return await Script.Run(Script.ByHand("apply.sh"), Lab.Address, folder, file, "www." + Zone, value);
    }

    /// <summary>What the script for changes is given: a connection that is open.</summary>
    public Task OpenConnection() => Script.Run("ssh", "-F", "none", "-i", fleet.KeyFile, "-o", "BatchMode=yes", "-o", $"UserKnownHostsFile={folder}/known_hosts",
        "-o", "ControlMaster=yes", "-o", $"ControlPath={folder}/control", "-fN", $"root@{Lab.Address}");

    public Task CloseConnection() => Script.Run("ssh", "-F", "none", "-o", $"ControlPath={folder}/control", "-O", "exit", $"root@{Lab.Address}");

    private static string ZoneText(string www, int serial) => string.Create(CultureInfo.InvariantCulture,
        $"$ORIGIN {Zone}.\n$TTL 300\n@ SOA ns1 hostmaster {serial} 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\nwww A {www}\n");

    private async Task<double> Run(string verb, object body)
    {
        var asked = TimeProvider.System.GetUtcNow();
        var id = (await fleet.Post($"/api/v2/pvservers/{Name}/{verb}", body)).GetProperty("runId").GetGuid();
        var run = await Outcome(id);
        // By the database's clock, which is this machine's: no looking costs or adds anything.
        return (run.GetProperty("finishedAt").GetDateTimeOffset() - asked).TotalSeconds;
    }

    private async Task<JsonElement> Outcome(Guid id)
    {
        while (true)
        {
            await Task.Delay(100);
            var run = await fleet.Admin.GetAsync($"/api/v2/runs/{id}").Json();
            if (run.GetProperty("state").GetString() is { } state && Ended.Contains(state))
            {
                Timeline.Note(run);
                return state == "succeeded" ? run : throw new InvalidOperationException($"{run.GetProperty("title")}: {state}. {run.GetProperty("reason")}");
            }
        }
    }

    private async Task<double> Served(string value, long started)
    {
        var client = new LookupClient(new LookupClientOptions(IPAddress.Parse(Lab.Address)) { UseCache = false, Recursion = false, Retries = 0, Timeout = TimeSpan.FromSeconds(1) });
        while (true)
        {
            var answer = await client.QueryAsync("www." + Zone, QueryType.A);
            if (answer.Answers.ARecords().FirstOrDefault()?.Address.ToString() == value)
            {
                return Stopwatch.GetElapsedTime(started).TotalSeconds;
            }

            await Task.Delay(5);
        }
    }

    /// <summary>The script writes the very files that the product has written, and puts the same labels on its containers.</summary>
    private async Task PackForTheScript()
    {
        var digest = await Lab.Run($"readlink {Root}/dns/config/current");
        var tree = await Lab.Run($"tar -C {Root} -c dns/config/{digest} monitor/ca.pem monitor/config.json agent/ca.pem agent/agent.json agent/agent.py | base64 -w0");
        await File.WriteAllBytesAsync(Path.Combine(folder, "tree.tar"), Convert.FromBase64String(tree));
        var keys = await Lab.Run("cat /etc/ssh/ssh_host_ed25519_key.pub");
        await File.WriteAllTextAsync(Path.Combine(folder, "known_hosts"), $"{Lab.Address} {string.Join(' ', keys.Split(' ').Take(2))}\n");
        var api = new Uri(JsonDocument.Parse(await Lab.Run($"cat {Root}/agent/agent.json")).RootElement.GetProperty("api").GetString()!);
        await File.WriteAllTextAsync(Path.Combine(folder, "settings"), string.Join('\n',
        [
            $"knot_image={await Inspect("dns", "{{.Config.Image}}")}", $"monitor_image={await Inspect("monitor", "{{.Config.Image}}")}",
            $"digest={digest}", $"zone={Zone}", $"api_host={api.Host}", $"api_port={api.Port}",
            $"knot_labels='{await Inspect("dns", Labels)}'", $"monitor_labels='{await Inspect("monitor", Labels)}'", "",
        ]));
        File.CreateSymbolicLink(Path.Combine(folder, "key"), fleet.KeyFile);
        foreach (var image in new[] { "knot", "monitor" })
        {
            File.CreateSymbolicLink(Path.Combine(folder, image + ".tar.gz"), Path.Combine(LabImages.Folder, image + ".tar.gz"));
        }
    }

    private const string Labels = "{{range $k, $v := .Config.Labels}}--label {{$k}}={{$v}} {{end}}";

    private Task<string> Inspect(string component, string format) => Lab.Run($"docker inspect -f '{format}' managed-servers-{component}");
}
