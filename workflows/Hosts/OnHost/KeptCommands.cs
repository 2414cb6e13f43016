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

    // Where there is root, what runs without it is kept in a folder that its user can read. Nobody need know where a key is: both are asked.
    private readonly Place[] places = target.Login.Kind == LoginKind.Sudo
        ? [new(target.Login.Folder, AsRoot: true), new(target.Login.OwnFolder, AsRoot: false)]
        : [new(target.Login.Folder, AsRoot: true)];

    public async Task<CommandResult> Run(string key, KeptCommand command, CancellationToken cancellationToken)
    {
        if (command.AsRoot && target.Login.Kind == LoginKind.Docker)
        {
            throw new HostRejectedException(HostProblem.CommandNeedsRoot,
                $"The command needs root, and user {target.User} never becomes root on {target}. Mark it as one that runs without root, or have root run it there.") { Field = "command" };
        }

        var place = command.AsRoot ? places[0] : places[^1];
        var what = command.OperatorText is null ? runner.NameOf(command.Argv![0]) : $"The command on {target}";
        // The status comes as the last line of the error output, which nothing else uses.
        var options = new CommandOptions { Timeout = AsLongAsItTakes, OutputLimit = command.OutputLimit, OnLine = OnlyOutput(command.OnLine), AsRoot = command.AsRoot };
        var limit = command.Timeout is { } timeout ? Math.Max(1, (long)Math.Ceiling(timeout.TotalSeconds)) : 0;
        string[] arguments = [place.FolderOf(key), limit.ToString(CultureInfo.InvariantCulture), command.OutputLimit.ToString(CultureInfo.InvariantCulture)];
        var raw = await runner.RunScript(KeptScripts.Start(Text(command), Exports(command)), arguments, options, what, cancellationToken);
        var state = Parse(raw, place, what);
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
                $"{what} was started earlier and is gone without an exit code: the host was restarted, something ended the command from outside, or its record in {place.Root} was removed. Nobody knows how far it came: look at the host, then decide whether to run it again."),
        };
    }

    public Task<KeptCommandState> LookUp(string key, CancellationToken cancellationToken) => InEachPlace(KeptScripts.LookUp, key, "looking after", cancellationToken);

    public async Task End(string key, CancellationToken cancellationToken)
    {
        var state = await InEachPlace(KeptScripts.End, key, "ending", cancellationToken);
        if (state.Phase == KeptCommandPhase.Running)
        {
            throw new HostUnavailableException(HostProblem.CommandTimeout, $"The command on {target} did not end, not even after KILL: it waits in the kernel, usually for a disk or a network mount. See `ps axl` there.");
        }
    }

    public async Task Forget(string key, CancellationToken cancellationToken)
    {
        var state = await InEachPlace(KeptScripts.Forget, key, "forgetting", cancellationToken);
        if (state.Phase == KeptCommandPhase.Running)
        {
            throw new InvalidOperationException("A command that runs cannot be forgotten: end it first.");
        }
    }

    private async Task<KeptCommandState> InEachPlace(string script, string key, string doing, CancellationToken cancellationToken)
    {
        var found = new KeptCommandState(KeptCommandPhase.None);
        foreach (var place in places)
        {
            var what = $"{doing} a command on {target}";
            var raw = await runner.RunScript(script, [place.FolderOf(key)], new CommandOptions { AsRoot = place.AsRoot }, what, cancellationToken);
            found = Parse(raw, place, what) is { Phase: not KeptCommandPhase.None } state ? state : found;
        }

        return found;
    }

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

    private KeptCommandState Parse(RawResult raw, Place place, string what)
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
                $"User {target.User} may not write to {place.Root} on {target}: \"{said}\"."),
            _ => throw HostCommandException.For(new CommandResult { ExitCode = raw.ExitCode, Stdout = "", Stderr = said, What = what }),
        };
    }

    private sealed record Place(string Folder, bool AsRoot)
    {
        public string Root => $"{Folder}/commands";

        public string FolderOf(string key) => key.Length is > 0 and <= LongestKey && key.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && key[0] != '-'
            ? $"{Root}/{key}"
            : throw new ArgumentException($"The key of a command has 1 to {LongestKey} letters, digits and dashes.", nameof(key));
    }
}
