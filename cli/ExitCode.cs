namespace ManagedServers.Cli;

/// <summary>What the shell gets; scripts depend on these, and `msctl --help` lists them.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Refused = 1;
    public const int Usage = 2;
    public const int NotAllowed = 3;
    public const int Unreachable = 4;
    public const int RunFailed = 5;
    public const int RunPaused = 6;
    public const int Interrupted = 130;

    public static IReadOnlyList<(int Code, string Meaning)> All { get; } =
    [
        (Done, "done"),
        (Refused, "the product refused, or a check failed"),
        (Usage, "the command line is wrong, or a question could not be asked"),
        (NotAllowed, "not signed in, or not allowed"),
        (Unreachable, "the product cannot be reached or is not trusted"),
        (RunFailed, "the run failed or was cancelled"),
        (RunPaused, "the run is paused and waits for an operator"),
        (Interrupted, "interrupted (Ctrl-C)"),
    ];
}
