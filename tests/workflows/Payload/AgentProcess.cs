using System.Diagnostics;
using System.Text.Json;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>The agent in a folder of its own, run as it is on a host but beating faster.</summary>
internal sealed class AgentProcess : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("agent-").FullName;
    private Process? process;

    public AgentProcess(TestProduct product, double intervalSeconds = 1, string? authorityPem = null)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllBytes(InFolder("agent.py"), PayloadFiles.AgentScript);
        File.WriteAllText(InFolder("ca.pem"), authorityPem ?? product.AuthorityPem);
        File.WriteAllText(InFolder("agent.json"), JsonSerializer.Serialize(new
        {
            api = product.Address.ToString().TrimEnd('/'), token = TestProduct.Token, serverId = Guid.CreateVersion7(), intervalSeconds,
        }));
    }

    /// <summary>Beside it lie the components' folders.</summary>
    public string Folder => Path.Combine(root, "agent");

    public int Id => process!.Id;

    public string Log => File.Exists(InFolder("agent.log")) ? File.ReadAllText(InFolder("agent.log")) : "";

    public string InFolder(params string[] parts) => Path.Combine([Folder, .. parts]);

    /// <summary>It rests between two updates: as if its last one were long ago.</summary>
    public void Age() => File.SetLastWriteTimeUtc(InFolder("agent.py"), DateTime.UnixEpoch);

    public void Start() => process = Process.Start("python3", ["-I", InFolder("agent.py"), "run"]);

    /// <summary>As systemd does it.</summary>
    public async Task<int> Terminate()
    {
        await Command.Run("kill", Id.ToString());
        await process!.WaitForExitAsync();
        return process.ExitCode;
    }

    public async Task Kill()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            process.WaitForExit();
        }

        process?.Dispose();
        Directory.Delete(root, recursive: true);
    }
}
