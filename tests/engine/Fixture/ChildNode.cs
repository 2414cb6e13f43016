using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using ManagedServers.Engine.Child;

namespace ManagedServers.Engine.Tests;

/// <summary>A node in a process of its own.</summary>
public sealed partial class ChildNode : IAsyncDisposable
{
    private const int SigTerm = 15;
    private const int SigStop = 19;
    private const int SigCont = 18;

    private readonly Process process;
    private readonly ConcurrentQueue<string> errors = new();
    private readonly List<string> lines = [];
    private readonly SemaphoreSlim more = new(0);

    private ChildNode(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => errors.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Pid => process.Id;

    public string Errors => string.Join('\n', errors);

    /// <summary>A run of so many steps, each at work for a while after its effect.</summary>
    internal static Effects Effects(int steps, int ms) => new([.. Enumerable.Range(1, steps).Select(n => new Effect($"s{n}", ms))]);

    /// <summary>A node in this process that starts and shows runs and executes none, on a fresh database with the table of effects.</summary>
    public static async Task<TestNode> Desk()
    {
        var desk = await TestNode.Start(options: o => (o.Workers, o.NodeName) = (0, "desk"));
        await JournalCheck.MakeEffects(desk.ConnectionString);
        return desk;
    }

    public static async Task<ChildNode> Start(string database, string name, params int[] settings)
    {
        var node = Launch(database, name, settings);
        await node.Says("ready");
        return node;
    }

    public static ChildNode Launch(string database, string name, params int[] settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(typeof(EffectStep).Assembly.Location);
        start.ArgumentList.Add(database);
        start.ArgumentList.Add(name);
        foreach (var setting in settings)
        {
            start.ArgumentList.Add(setting.ToString());
        }

        return new ChildNode(Process.Start(start)!);
    }

    /// <summary>Waits until the node has said a line that begins so, now or before.</summary>
    public async Task<string> Says(string begin)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            lock (lines)
            {
                if (lines.Find(l => l.StartsWith(begin, StringComparison.Ordinal)) is { } line)
                {
                    return line;
                }
            }

            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new Xunit.Sdk.XunitException($"The node never said '{begin}', but: {string.Join(" | ", lines)}\n{Errors}");
            }
        }
    }

    public async Task<int> Exited()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    /// <summary>SIGKILL.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGTERM.</summary>
    public async Task Stop()
    {
        Send(SigTerm);
        await Exited();
    }

    public void Freeze() => Send(SigStop);

    public void Thaw() => Send(SigCont);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await Kill();
        }

        process.Dispose();
        more.Dispose();
    }

    private void Send(int signal) => Assert.Equal(0, Signal(process.Id, signal));

    private void Hear(string? line)
    {
        if (line is not null)
        {
            lock (lines)
            {
                lines.Add(line);
            }
        }

        more.Release();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
