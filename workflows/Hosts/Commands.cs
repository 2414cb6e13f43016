namespace ManagedServers.Workflows.Hosts;

/// <summary>How a command is run.</summary>
public sealed record CommandOptions
{
    /// <summary>Read to its end and fed to the command; the only way for data and secrets.</summary>
    public Stream? Stdin { get; init; }

    /// <summary>In the process list for a moment, as the arguments are: not for secrets.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>As root where the login may become it; false: as the user who logs in, always.</summary>
    public bool AsRoot { get; init; } = true;

    /// <summary>After this the command gets TERM and <see cref="HostCommandTimeoutException"/> is thrown.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Bytes kept of each of the two outputs; the rest is read and dropped. The callback sees all of it.</summary>
    public int OutputLimit { get; init; } = 1 << 20;

    /// <summary>Called for each line as it comes, one call at a time. Lines over 1 MiB are cut into several.</summary>
    public Action<CommandLine>? OnLine { get; init; }
}

public sealed record CommandLine(string Text, bool IsError);

public sealed record CommandResult
{
    /// <summary>128 + signal when a signal ended it.</summary>
    public required int ExitCode { get; init; }

    public required string Stdout { get; init; }

    public required string Stderr { get; init; }

    /// <summary>The output was longer than the limit.</summary>
    public bool Truncated { get; init; }

    /// <summary>A kept command was ended by its own time limit.</summary>
    public bool TimedOut { get; init; }

    /// <summary>For messages: "ls on ns1 (192.0.2.10:22)".</summary>
    public required string What { get; init; }

    public bool Succeeded => ExitCode == 0;

    /// <summary>Gives itself back, or throws <see cref="HostCommandException"/> with the exit code and the end of the output; a <see cref="HostRejectedException"/> where a disk is full.</summary>
    public CommandResult Check() => Succeeded ? this : throw HostCommandException.For(this);
}

/// <summary>A long command: an argument vector, or the free text of an operator.</summary>
public sealed record KeptCommand
{
    private KeptCommand(IReadOnlyList<string>? argv, string? text) => (Argv, OperatorText) = (argv, text);

    internal IReadOnlyList<string>? Argv { get; }

    /// <summary>The only free text that ever reaches a shell of a host.</summary>
    public string? OperatorText { get; }

    /// <summary>As root, which a login without root refuses; false: as the user who logs in.</summary>
    public bool AsRoot { get; init; } = true;

    /// <summary>Not in the process list; kept on the host in a file that only the command's own user and root read, until forgotten.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Kept by the host itself, also while the product is down: TERM, after 10 s KILL. The result says so. Null: no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Bytes of output kept, on the host and in the result; the rest is read and dropped, and a last line says so.</summary>
    public int OutputLimit { get; init; } = 1 << 20;

    /// <summary>Called for each line that is kept, from the beginning of the command, also when attaching later.</summary>
    public Action<CommandLine>? OnLine { get; init; }

    public static KeptCommand Of(params IReadOnlyList<string> argv) => new(argv, null);

    /// <summary>Run by <c>sh</c>, verbatim.</summary>
    public static KeptCommand FromOperator(string shellText) => new(null, shellText);
}

public enum KeptCommandPhase
{
    /// <summary>The host knows nothing of it.</summary>
    None,

    Running,

    /// <summary>It came to its end and left an exit code.</summary>
    Ended,

    /// <summary>It was started and is gone without an exit code: the host was restarted, the command killed from outside, or its record removed.</summary>
    Lost,
}

public sealed record KeptCommandState(KeptCommandPhase Phase, int? ExitCode = null, bool TimedOut = false);
