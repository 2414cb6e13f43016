namespace ManagedServers.Workflows.Hosts;

/// <summary>A command on a host ended with an exit code that means failure.</summary>
public sealed class HostCommandException : Exception, IHostProblem
{
    private const int LongestTail = 2000;

    private HostCommandException(string message, CommandResult result) : base(message) => Result = result;

    public string Code => HostProblem.CommandFailed;

    public CommandResult Result { get; }

    internal static HostCommandException For(CommandResult result)
    {
        var said = (result.Stderr.Trim().Length > 0 ? result.Stderr : result.Stdout).Trim();
        said = said.Length > LongestTail ? "…" + said[^LongestTail..] : said;
        return new HostCommandException($"{result.What} ended with exit code {result.ExitCode}. {(said.Length > 0 ? $"It said: {said}" : "It said nothing.")}", result);
    }
}

/// <summary>A command on a host was ended because it took longer than allowed.</summary>
public sealed class HostCommandTimeoutException(string what, TimeSpan limit)
    : Exception($"{what} took longer than {limit.TotalSeconds:0.#} s and was ended. Look at the host's load and disks; the limit can be raised where the command is defined."), IHostProblem
{
    public string Code => HostProblem.CommandTimeout;
}
