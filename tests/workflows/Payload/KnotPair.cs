using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ManagedServers.Tests;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>Knot and the monitor in containers as on a managed host, on this machine's loopback. The monitor's files are those of the working tree.</summary>
internal sealed class KnotPair : IAsyncDisposable
{
    private static readonly string[] Hardening = ["--network", "host", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp:size=16m,mode=1777", "--user", "0:0"];
    private readonly string folder = Directory.CreateTempSubdirectory("knot-").FullName;
    private string? knot;
    private string? monitor;

    public int Port { get; } = FreePort.On(IPAddress.Loopback).Port;

    /// <summary>Whom the monitor counts for.</summary>
    public Guid Server { get; } = Guid.CreateVersion7();

    /// <summary>Why the monitor's last delivery has failed; null when it has not.</summary>
    public string? Problem => Note("problem")?.GetString();

    /// <summary>Seconds between its samples.</summary>
    public int? Interval => Note("interval")?.GetInt32();

    public string ZoneFolder => Path.Combine(folder, "config", "zones");

    public async Task Prepare(params string[] zones)
    {
        foreach (var part in new[] { "config/zones", "data", "run", "tap", "monitor" })
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "config", "knot.conf"),
            KnotConfiguration.Render(zones.Select(z => new ServedZone(ZoneName.Parse(z))), [ListenAddress.Parse("127.0.0.1", Port)]));
        foreach (var zone in zones)
        {
            await File.WriteAllTextAsync(Path.Combine(ZoneFolder, KnotConfiguration.ZoneFile(ZoneName.Parse(zone))),
                $"$ORIGIN {zone}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n* A 192.0.2.2\n");
        }
    }

    /// <summary>Another text for a zone that was prepared.</summary>
    public Task Write(ZoneName zone, string file) => File.WriteAllTextAsync(Path.Combine(ZoneFolder, KnotConfiguration.ZoneFile(zone)), file);

    /// <summary>Another file of the configuration.</summary>
    public Task Write(string name, string text) => File.WriteAllTextAsync(Path.Combine(folder, "config", name), text);

    /// <summary>A command in a throw-away container of Knot's image, as validation runs it.</summary>
    public Task<(int ExitCode, string Stdout, string Stderr)> Check(params string[] argv) =>
        Command.Try("docker", ["run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--volume", $"{folder}/config:/etc/knot:ro", "--entrypoint", argv[0], Repository.Image("dns"), .. argv[1..]]);

    public async Task StartKnot() => knot = (await Command.Run("docker", ["run", "--detach", .. Hardening, "--cap-add", "NET_BIND_SERVICE", "--memory", "512m",
        "--volume", $"{folder}/config:/etc/knot:ro", "--volume", $"{folder}/data:/var/lib/knot", "--volume", $"{folder}/run:/run/knot", "--volume", $"{folder}/tap:/run/tap",
        Repository.Image("dns")])).Trim();

    public async Task StartMonitor(TestProduct product, int intervalSeconds = 1, params string[] zones)
    {
        await Configure(product, intervalSeconds, null, zones);
        await StartMonitor();
    }

    /// <summary>With the settings that are there.</summary>
    public async Task StartMonitor() => monitor = (await Command.Run("docker", ["run", "--detach", .. Hardening, "--memory", "64m",
            "--volume", $"{folder}/monitor:/var/lib/monitor", "--volume", $"{folder}/run:/run/knot", "--volume", $"{folder}/tap:/run/tap",
            "--volume", $"{Repository.Path("workflows", "Payload", "monitor")}:/usr/lib/managed-servers:ro", Repository.Image("monitor")])).Trim();

    /// <summary>The monitor's settings; one that runs reads them when they change.</summary>
    /// <param name="rabbitmq">Where to send to in place of the product.</param>
    public async Task Configure(TestProduct product, int intervalSeconds, object? rabbitmq, params string[] zones)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "monitor", "ca.pem"), product.AuthorityPem);
        var aside = Path.Combine(folder, "monitor", "config.json.part");
        await File.WriteAllTextAsync(aside, JsonSerializer.Serialize(new
        {
            api = product.Address.ToString().TrimEnd('/'), token = TestProduct.Token, serverId = Server, intervalSeconds, zones, rabbitmq,
        }));
        File.Move(aside, Path.Combine(folder, "monitor", "config.json"), overwrite: true);
    }

    public Task RestartKnot() => Command.Run("docker", "restart", knot!);

    /// <summary>As a power failure leaves it: a PID file, sockets, a spool.</summary>
    public Task KillKnot() => Command.Run("docker", "restart", "--time", "0", knot!);

    /// <param name="end">kill or stop, as Docker has them.</param>
    public async Task StartMonitorAgain(string end)
    {
        await Command.Run("docker", end, monitor!);
        // So that a look before the new one has started is not answered by the old one.
        File.Delete(Path.Combine(folder, "monitor", "state.json"));
        await Command.Run("docker", "start", monitor!);
    }

    public Task StopMonitor() => Command.Run("docker", "stop", monitor!);

    /// <summary>The monitor has made its socket, for Knot to find.</summary>
    public bool Listens => File.Exists(Path.Combine(folder, "tap", "tap.sock"));

    /// <summary>What the monitor says of itself: connections and queries since its start.</summary>
    public async Task<(bool Connected, int Connections, int Heard)> Check()
    {
        var (exitCode, stdout, _) = await Command.Try("docker", "exec", monitor!, "/usr/bin/python3", "/usr/lib/managed-servers/monitor.py", "--check");
        if (stdout.Length == 0)
        {
            return default;
        }

        using var note = JsonDocument.Parse(stdout);
        return (exitCode == 0, note.RootElement.GetProperty("connections").GetInt32(), note.RootElement.GetProperty("heard").GetInt32());
    }

    public async Task<string> Logs() => knot is null || monitor is null ? "" : (await Command.Try("docker", "logs", knot)).Stderr + (await Command.Try("docker", "logs", monitor)).Stderr;

    /// <summary>Asks one question over UDP and waits for its answer, so that it is known to be counted.</summary>
    public async Task Ask(byte[] name, int type)
    {
        using var udp = new UdpClient();
        udp.Connect(IPAddress.Loopback, Port);
        byte[] question = [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. name, (byte)(type >> 8), (byte)type, 0, 1];
        for (var attempt = 0; ; attempt++)
        {
            await udp.SendAsync(question);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                await udp.ReceiveAsync(patience.Token);
                return;
            }
            catch (Exception e) when (attempt < 20 && e is SocketException)
            {
                // Refused: Knot is not there yet, so nothing was counted.
                await Task.Delay(100);
            }
        }
    }

    /// <summary>A name in wire form from labels of any bytes.</summary>
    public static byte[] Wire(params byte[][] labels) => [.. labels.SelectMany(l => new[] { (byte)l.Length }.Concat(l)), 0];

    public static byte[] Wire(string name) => Wire([.. name.Split('.').Select(System.Text.Encoding.Latin1.GetBytes)]);

    private JsonElement? Note(string what)
    {
        var path = Path.Combine(folder, "monitor", "state.json");
        if (!File.Exists(path))
        {
            return null;
        }

        using var note = JsonDocument.Parse(File.ReadAllText(path));
        return note.RootElement.GetProperty(what).Clone();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in new[] { knot, monitor })
        {
            if (id is not null)
            {
                await Command.Run("docker", "rm", "--force", "--volumes", id);
            }
        }

        Directory.Delete(folder, recursive: true);
    }
}
