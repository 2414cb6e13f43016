using System.Globalization;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Hosts.OnHost;

/// <summary>
/// Commands that outlive the connection and the product: a small wrapper on the host keeps output and exit code under the key.
/// See <see cref="KeptScripts"/> for what lies in the folder of a command.
/// </summary>
internal sealed class KeptCommands(CommandRunner runner, HostTarget target)
{
    private const int LongestKey = 128;
    private const int LongestText = 256 * 1024;
    private static readonly TimeSpan AsLongAsItTakes = TimeSpan.FromDays(20);
    private readonly string root = $"{target.Login.Folder}/commands";

    public async Task<CommandResult> Run(string key, KeptCommand command, CancellationToken cancellationToken)
    {
        var what = command.OperatorText is null ? runner.NameOf(command.Argv![0]) : $"The command on {target}";
        // The status comes as the last line of the error output, which nothing else uses.
        var options = new CommandOptions { Timeout = AsLongAsItTakes, OutputLimit = command.OutputLimit, OnLine = OnlyOutput(command.OnLine) };
        var limit = command.Timeout is { } timeout ? Math.Max(1, (long)Math.Ceiling(timeout.TotalSeconds)) : 0;
        string[] arguments = [Folder(key), limit.ToString(CultureInfo.InvariantCulture), command.OutputLimit.ToString(CultureInfo.InvariantCulture)];
        var raw = await runner.RunScript(KeptScripts.Start(Text(command), Exports(command)), arguments, options, what, cancellationToken);
        var state = Parse(raw, what);
        return state.Phase switch
        {
            KeptCommandPhase.Ended => new CommandResult
            {
                ExitCode = state.ExitCode!.Value,
                Stdout = raw.Output.Text,
                Stderr = "",
                Truncated = raw.Output.Truncated,
                TimedOut = state.TimedOut,
                What = what,
            },
            _ => throw new HostRejectedException(HostProblem.CommandLost,
                $"{what} was started earlier and is gone without an exit code: the host was restarted, something ended the command from outside, or its record in {root} was removed. Nobody knows how far it came: look at the host, then decide whether to run it again."),
        };
    }

    public async Task<KeptCommandState> LookUp(string key, CancellationToken cancellationToken) =>
        Parse(await runner.RunScript(KeptScripts.LookUp, [Folder(key)], new CommandOptions(), $"looking after a command on {target}", cancellationToken), "The look");

    public async Task End(string key, CancellationToken cancellationToken)
    {
        var state = Parse(await runner.RunScript(KeptScripts.End, [Folder(key)], new CommandOptions(), $"ending a command on {target}", cancellationToken), "The ending");
        if (state.Phase == KeptCommandPhase.Running)
        {
            throw new HostUnavailableException(HostProblem.CommandTimeout, $"The command on {target} did not end, not even after KILL: it waits in the kernel, usually for a disk or a network mount. See `ps axl` there.");
        }
    }

    public async Task Forget(string key, CancellationToken cancellationToken)
    {
        var state = Parse(await runner.RunScript(KeptScripts.Forget, [Folder(key)], new CommandOptions(), $"forgetting a command on {target}", cancellationToken), "The forgetting");
        if (state.Phase == KeptCommandPhase.Running)
        {
            throw new InvalidOperationException("A command that runs cannot be forgotten: end it first.");
        }
    }

    private string Folder(string key) => key.Length is > 0 and <= LongestKey && key.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && key[0] != '-'
        ? $"{root}/{key}"
        : throw new ArgumentException($"The key of a command has 1 to {LongestKey} letters, digits and dashes.", nameof(key));

    private static string Text(KeptCommand command)
    {
        var text = command.OperatorText ?? "exec " + RemoteCommandLine.Quote(command.Argv!);
        return text.Length is > 0 and <= LongestText && !text.Contains('\0', StringComparison.Ordinal)
            ? text
            : throw new HostRejectedException(HostProblem.CommandUnusable, $"The command must have 1 to {LongestText} characters and no NUL character.") { Field = "command" };
    }

    private static string Exports(KeptCommand command) =>
        string.Concat(command.Environment.Select(e => $"export {RemoteCommandLine.EnvironmentName(e.Key)}={RemoteCommandLine.Quote(e.Value)}\n"));

    private static Action<CommandLine>? OnlyOutput(Action<CommandLine>? onLine) => onLine is null ? null : line =>
    {
        if (!line.IsError)
        {
            onLine(line);
        }
    };

    private KeptCommandState Parse(RawResult raw, string what)
    {
        var said = raw.Error.Text.Trim();
        var words = said.Split('\n')[^1].Split(' ');
        return (raw.ExitCode, words) switch
        {
            (0, ["none"]) => new KeptCommandState(KeptCommandPhase.None),
            (0, ["running"]) => new KeptCommandState(KeptCommandPhase.Running),
            (0, ["lost"]) => new KeptCommandState(KeptCommandPhase.Lost),
            (0, ["ended", var code, .. var more]) when int.TryParse(code, out var exit) => new KeptCommandState(KeptCommandPhase.Ended, exit, more is ["timed-out"]),
            _ when said.Contains("ermission denied", StringComparison.Ordinal) || said.Contains("Read-only file system", StringComparison.Ordinal) => throw new HostRejectedException(HostProblem.PermissionDenied,
                $"User {target.User} may not write to {root} on {target}: \"{said}\"."),
            _ => throw HostCommandException.For(new CommandResult { ExitCode = raw.ExitCode, Stdout = "", Stderr = said, What = what }),
        };
    }
}
