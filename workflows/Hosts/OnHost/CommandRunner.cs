using System.Text;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>Runs one command on a channel: feeds it, reads both outputs, waits for its end within the limit.</summary>
internal sealed class CommandRunner(SshConnection connection, HostTarget target)
{
    private const string Python = "python3";

    // Some of the Red Hat family have their Python for the system's own tools only, under a name that is in no PATH.
    private const string FindPython = """
        for p in python3 /usr/libexec/platform-python; do command -v "$p" >/dev/null 2>&1 && exec "$p" "$@"; done
        echo "there is no python3" >&2; exit 127
        """;

    /// <summary>What the command is called in messages; never its arguments, which may say too much.</summary>
    public string NameOf(string program) => $"{program} on {target}";

    public async Task<CommandResult> Run(IReadOnlyList<string> argv, CommandOptions options, CancellationToken cancellationToken)
    {
        var raw = await RunRaw(Found(argv), options, NameOf(argv[0]), cancellationToken);
        return new CommandResult
        {
            ExitCode = raw.ExitCode,
            Stdout = raw.Output.Text,
            Stderr = raw.Error.Text,
            Truncated = raw.Output.Truncated || raw.Error.Truncated,
            What = NameOf(argv[0]),
        };
    }

    /// <summary>Starts a program that stays and answers lines.</summary>
    public async Task<LineSession> Converse(IReadOnlyList<string> argv, CancellationToken cancellationToken)
    {
        var what = NameOf(argv[0]);
        return new LineSession(await connection.Open(target, Found(argv), new Dictionary<string, string>(), withInput: true, target.Login.Kind == LoginKind.Sudo, what, cancellationToken, still: true), target, what);
    }

    /// <summary>Runs a script of ours with sh; the script itself travels through standard input and is in no process list.</summary>
    public Task<RawResult> RunScript(string script, IReadOnlyList<string> arguments, CommandOptions options, string what, CancellationToken cancellationToken) =>
        RunRaw(["sh", "-s", "--", .. arguments], options with { Stdin = new MemoryStream(Encoding.UTF8.GetBytes(script)) }, what, cancellationToken);

    public async Task<RawResult> RunRaw(IReadOnlyList<string> argv, CommandOptions options, string what, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        // SSH.NET tells the host of the end of an input only when there was some, so an empty one must be known beforehand.
        var first = new byte[32 * 1024];
        var firstLength = options.Stdin is null ? 0 : await options.Stdin.ReadAsync(first, limit.Token);
        try
        {
            await using var channel = await connection.Open(target, argv, options.Environment, firstLength > 0, options.AsRoot && target.Login.Kind == LoginKind.Sudo, what, limit.Token);
            return await Follow(channel, options, first.AsMemory(0, firstLength), limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostCommandTimeoutException(what, options.Timeout);
        }
    }

    private static string[] Found(IReadOnlyList<string> argv) => argv[0] == Python ? ["sh", "-c", FindPython, .. argv] : [.. argv];

    private async Task<RawResult> Follow(SshChannel channel, CommandOptions options, ReadOnlyMemory<byte> first, CancellationToken cancellationToken)
    {
        var oneAtATime = new Lock();
        var output = new OutputCollector(options.OutputLimit, false, options.OnLine, oneAtATime);
        var error = new OutputCollector(options.OutputLimit, true, options.OnLine, oneAtATime);
        // One pump that breaks (a callback, the input's source) must end the others.
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] pumps =
        [
            OrBreak(Read(channel.Output, output), broken),
            OrBreak(Read(channel.Error, error), broken),
            OrBreak(first.IsEmpty ? Task.CompletedTask : Feed(channel, first, options.Stdin!, broken.Token), broken),
        ];
        try
        {
            // The outputs end with the channel, also when the connection is lost. The input may never end by itself.
            await Task.WhenAll(pumps[..2]).WaitAsync(broken.Token);
            var exit = await channel.ExitCode().WaitAsync(broken.Token);
            await broken.CancelAsync();
            await pumps[2].ContinueWith(t => t.Exception, TaskScheduler.Default);
            return channel.Output.Started && channel.Error.Started ? new RawResult(exit, output, error) : throw SshProblems.OfStart(channel, exit, target);
        }
        catch
        {
            await channel.Terminate();
            await channel.DisposeAsync();
            // Nobody's callback is called after this method has returned.
            await Task.WhenAll(pumps[..2]).ContinueWith(t => t.Exception, TaskScheduler.Default);
            cancellationToken.ThrowIfCancellationRequested();
            await (pumps.FirstOrDefault(p => p.IsFaulted) ?? Task.CompletedTask);
            throw;
        }
    }

    private static async Task OrBreak(Task pump, CancellationTokenSource broken)
    {
        try
        {
            await pump;
        }
        catch
        {
            await broken.CancelAsync();
            throw;
        }
    }

    private static async Task Read(MarkedReader reader, OutputCollector collector)
    {
        var buffer = new byte[32 * 1024];
        while (await reader.Read(buffer) is var read and > 0)
        {
            collector.Add(buffer.AsSpan(0, read));
        }

        collector.Finish();
    }

    private static async Task Feed(SshChannel channel, ReadOnlyMemory<byte> first, Stream source, CancellationToken cancellationToken)
    {
        var listening = await channel.Write(first);
        var buffer = new byte[32 * 1024];
        while (listening && await source.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            listening = await channel.Write(buffer.AsMemory(0, read));
        }

        await channel.CloseInput();
    }
}

/// <summary>An end with its outputs as they came.</summary>
internal sealed record RawResult(int ExitCode, OutputCollector Output, OutputCollector Error);
