using System.Diagnostics;
using System.Text;

namespace ManagedServers.Cli.Tests.Running;

/// <summary>How a command ended.</summary>
public sealed record Outcome(int ExitCode, string Out, string Error)
{
    public IReadOnlyList<string> Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public override string ToString() => $"exit code {ExitCode}\n--- out\n{Out}\n--- error\n{Error}";
}

/// <summary>The real executable, with a home folder of its own.</summary>
public sealed class Msctl : IDisposable
{
    public Msctl() => Directory.CreateDirectory(Home);

    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "msctl");

    /// <summary>How long one command may take before the test gives up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    public string Home { get; } = Path.Combine(Path.GetTempPath(), $"msctl-test-{Guid.NewGuid():n}");

    public string Config => Path.Combine(Home, ".config", "msctl", "config.json");

    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>Points at a product with a token, by the environment.</summary>
    public Msctl SignedInAt(StandIn.Product product)
    {
        Environment["MSCTL_URL"] = product.Address.ToString();
        Environment["MSCTL_CA"] = File("ca.pem", product.Certificates.Pem);
        Environment["MSCTL_TOKEN_FILE"] = File("token", "test-token\n");
        return this;
    }

    public string File(string name, string text)
    {
        var path = Path.Combine(Home, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    public Task<Outcome> Run(params string[] arguments) => Run(arguments, null);

    public async Task<Outcome> Run(string[] arguments, string? input)
    {
        await using var running = Start(arguments, input);
        return await running.End();
    }

    public RunningMsctl Start(string[] arguments, string? input = null)
    {
        // Whoever runs these tests in the background has Ctrl-C ignored, and children inherit that.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,QUIT", Executable, .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
        };
        Prepare(start);
        return new RunningMsctl(Process.Start(start)!, input, Patience);
    }

    public void Prepare(ProcessStartInfo start)
    {
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSCTL_", StringComparison.Ordinal) || k is "NO_COLOR" or "XDG_CONFIG_HOME").ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOME"] = Home;
        start.Environment["TERM"] = "xterm-256color";
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }
    }

    public void Dispose() => Directory.Delete(Home, recursive: true);
}

/// <summary>A command under way.</summary>
public sealed class RunningMsctl : IAsyncDisposable
{
    private readonly Process process;
    private readonly CancellationTokenSource patience;
    private readonly StringBuilder output = new();
    private readonly Task<string> errors;
    private readonly Task reading;
    private TaskCompletionSource more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunningMsctl(Process process, string? input, TimeSpan limit)
    {
        this.process = process;
        patience = new CancellationTokenSource(limit);
        errors = process.StartInfo.RedirectStandardError ? process.StandardError.ReadToEndAsync() : Task.FromResult("");
        reading = Read();
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
    }

    public int Id => process.Id;

    public StreamWriter Input => process.StandardInput;

    public string OutSoFar
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>Waits until the standard output holds a text.</summary>
    public async Task Shows(string text)
    {
        while (true)
        {
            Task next;
            lock (output)
            {
                if (output.ToString().Contains(text, StringComparison.Ordinal))
                {
                    return;
                }

                next = more.Task;
            }

            if (reading.IsCompleted && !OutSoFar.Contains(text, StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"'{text}' was never shown:\n{OutSoFar}\n{await errors}");
            }

            await Task.WhenAny(next, reading).WaitAsync(patience.Token);
        }
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{process.Id}"]);
        kill.WaitForExit();
    }

    public async Task<Outcome> End()
    {
        await process.WaitForExitAsync(patience.Token);
        await reading;
        return new Outcome(process.ExitCode, OutSoFar, await errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await reading;
        process.Dispose();
        patience.Dispose();
    }

    private async Task Read()
    {
        var buffer = new char[4096];
        while (await process.StandardOutput.ReadAsync(buffer) is > 0 and var count)
        {
            lock (output)
            {
                output.Append(buffer, 0, count);
                var waiting = more;
                more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting.TrySetResult();
            }
        }
    }
}
