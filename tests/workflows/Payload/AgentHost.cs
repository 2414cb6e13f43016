using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ManagedServers.Lab;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>A lab host without its Docker engine and SSH: init, cron, rc.local and Python are what an agent needs.</summary>
internal sealed class AgentHost : IAsyncDisposable
{
    private readonly string id;

    private AgentHost(string id) => this.id = id;

    /// <summary>An agent's view of a whole host, whose owner removes it.</summary>
    public static AgentHost Of(LabHost host) => new(host.Id);

    /// <param name="setup">Shell lines that run before its first boot.</param>
    public static async Task<AgentHost> Boot(string setup = "")
    {
        var id = (await Command.Run("docker", "create", "--init", "--tmpfs", "/run", "--tmpfs", "/tmp:exec", Repository.Image("lab-host"))).Trim();
        var host = new AgentHost(id);
        var folder = Directory.CreateTempSubdirectory("agent-host-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "setup"), $"chmod -x /usr/sbin/dockerd\ntouch /run/lab-host/ssh.stopped\n{setup}\n");
            await Command.Run("docker", "cp", folder.FullName + "/.", $"{id}:/etc/lab-host/");
            await Command.Run("docker", "start", id);
            await Until.True("a host that has booted", async () => (await host.Try("test", "!", "-e", "/etc/lab-host/setup")).ExitCode == 0);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Where the host reaches this machine.</summary>
    public static IPAddress Gateway() =>
        NetworkInterface.GetAllNetworkInterfaces().Single(n => n.Name == "docker0").GetIPProperties()
            .UnicastAddresses.First(a => a.Address.AddressFamily == AddressFamily.InterNetwork).Address;

    public Task<(int ExitCode, string Stdout, string Stderr)> Try(params string[] argv) => Command.Try("docker", ["exec", id, .. argv]);

    public Task<string> Run(params string[] argv) => Command.Run("docker", ["exec", id, .. argv]);

    public Task<string> Shell(string script) => Run("sh", "-c", script);

    /// <summary>The power fails and comes back.</summary>
    public Task Reboot() => Command.Run("docker", "restart", "--time", "0", id);

    public async Task Write(string path, string text)
    {
        var folder = Directory.CreateTempSubdirectory("agent-host-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, Path.GetFileName(path)), text);
        await Command.Run("docker", "cp", Path.Combine(folder.FullName, Path.GetFileName(path)), $"{id}:{path}");
        folder.Delete(recursive: true);
    }

    /// <summary>Everything that the provisioning writes.</summary>
    public async Task WriteAgent(TestProduct product, double intervalSeconds = 1)
    {
        await Run("mkdir", "-p", Agent);
        await Write($"{Agent}/agent.py", Encoding.UTF8.GetString(PayloadFiles.AgentScript));
        await Write($"{Agent}/ca.pem", product.AuthorityPem);
        await Write($"{Agent}/agent.json", JsonSerializer.Serialize(new
        {
            api = product.Address.ToString().TrimEnd('/'), token = TestProduct.Token, serverId = Guid.CreateVersion7(), intervalSeconds,
        }));
    }

    public const string Agent = "/var/lib/managed-servers/agent";

    public async Task<(bool Changed, string Supervision, int Pid)> Install()
    {
        using var answer = JsonDocument.Parse(await Run("python3", $"{Agent}/agent.py", "install"));
        var root = answer.RootElement;
        return (root.GetProperty("changed").GetBoolean(), root.GetProperty("supervision").GetString()!, root.GetProperty("pid").GetInt32());
    }

    /// <summary>Process ids of what runs, by its last words: agents end with a supervisor's id, supervisors with `supervise`.</summary>
    public async Task<(int[] Agents, int[] Supervisors)> Processes()
    {
        var found = (await Shell("ps -eo pid=,args= | grep '[a]gent.py' || true")).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return ([.. found.Where(l => l.Contains("agent.py run", StringComparison.Ordinal)).Select(Id)], [.. found.Where(l => l.EndsWith("supervise", StringComparison.Ordinal)).Select(Id)]);

        static int Id(string line) => int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync() => await Command.Run("docker", "rm", "--force", "--volumes", id);
}
