using System.Text.RegularExpressions;

namespace ManagedServers.Workflows.Hosts;

/// <summary>A command on a host ended with an exit code that means failure.</summary>
public sealed partial class HostCommandException : Exception, IHostProblem
{
    private const int LongestTail = 2000;

    private HostCommandException(string message, CommandResult result) : base(message) => Result = result;

    public string Code => HostProblem.CommandFailed;

    public CommandResult Result { get; }

    /// <summary>This, or what cannot get better by itself: a disk that is full.</summary>
    internal static Exception For(CommandResult result)
    {
        var said = (result.Stderr.Trim().Length > 0 ? result.Stderr : result.Stdout).Trim();
        said = Tail(Traces().Replace(said, "").Trim(), LongestTail);
        if (said.Split('\n').LastOrDefault(IsOfAFullDisk) is { } full)
        {
            return new HostRejectedException(HostProblem.DiskFull, $"A disk is full: {result.What} failed with \"{full.Trim()}\". Free some space there (`df -h`; for inodes `df -i`), then retry.");
        }

        return new HostCommandException($"{result.What} ended with exit code {result.ExitCode}. {(said.Length > 0 ? $"It said: {said}" : "It said nothing.")}", result);
    }

    private static bool IsOfAFullDisk(string line) => line.Contains("No space left on device", StringComparison.Ordinal) || line.Contains("quota exceeded", StringComparison.Ordinal);

    // Where in a program of Python's it happened; what happened stands in the line after it.
    [GeneratedRegex(@"^Traceback \(most recent call last\):\r?\n(?:[ \t].*(?:\r?\n|\z))*", RegexOptions.Multiline)]
    private static partial Regex Traces();

    /// <summary>The end of an output, from the begin of a word: half a secret would no more be known as one.</summary>
    internal static string Tail(string said, int longest)
    {
        if (said.Length <= longest)
        {
            return said;
        }

        var word = said.AsSpan(said.Length - longest).IndexOfAny(" \t\r\n");
        return word < 0 ? "…" : "…" + said[(said.Length - longest + word)..];
    }
}

/// <summary>A command on a host was ended because it took longer than allowed.</summary>
public sealed class HostCommandTimeoutException(string what, TimeSpan limit)
    : Exception($"{what} took longer than {limit.TotalSeconds:0.#} s and was ended. Look at the host's load and disks; the limit can be raised where the command is defined."), IHostProblem
{
    public string Code => HostProblem.CommandTimeout;
}
