using System.Diagnostics;
using System.Threading.Channels;

namespace ManagedServers.Bench.Setup;

/// <summary>This program again, to be killed.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();

    private ChildProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => lines.Writer.TryWrite(line.Data ?? "");
        process.BeginOutputReadLine();
    }

    public static async Task<ChildProcess> Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ChildProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        var child = new ChildProcess(Process.Start(start)!);
        await child.Says("ready");
        return child;
    }

    /// <summary>Waits for a line; those before it are forgotten.</summary>
    public async Task Says(string line)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (await lines.Reader.ReadAsync(patience.Token) != line)
        {
        }
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        await process.WaitForExitAsync();
        process.Dispose();
    }
}
