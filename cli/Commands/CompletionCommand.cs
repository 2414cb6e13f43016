using System.CommandLine;

namespace ManagedServers.Cli.Commands;

/// <summary>Completion in the shell, answered by msctl itself.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _msctl() {
            local IFS=$'\n'
            COMPREPLY=($(msctl "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null))
        }
        complete -o default -F _msctl msctl
        """;

    private const string Zsh = """
        _msctl() {
            compadd -- ${(f)"$(msctl "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)"} || _files
        }
        compdef _msctl msctl
        """;

    private static readonly Argument<string> Shell = new("SHELL") { Description = "bash or zsh" };

    static CompletionCommand() => Shell.AcceptOnlyFromAmong("bash", "zsh");

    public static DocumentedCommand Build() => new DocumentedCommand("completion", "Print a script that completes msctl's words in the shell.")
    {
        Examples = ["source <(msctl completion bash)", "source <(msctl completion zsh)"],
    }.With(Shell).Does((call, _) =>
    {
        call.Screen.Line(call.Get(Shell) == "bash" ? Bash : Zsh);
        return Task.FromResult(ExitCode.Done);
    });
}
