using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>What an operator is told who must run a line on the host. The token goes to a person's eyes or into a file of theirs, never into a pipe.</summary>
internal static class ByHand
{
    public static readonly Option<string?> TokenFile = new("--enrolment-token-file") { Description = "Write the enrolment token of a server that is installed by hand into this file, mode 0600.", HelpName = "FILE" };

    /// <summary>The run waits for somebody to run the line: its turn has come.</summary>
    public static bool IsAskedFor(RunDetails run) => run.Steps.Any(s => s is { Name: "check-in", Kind: "signal", State: StepStates.Waiting });

    // json is the enrolment as the product has given it, for programs that watch.
    public static void Tell(Invocation call, HostEnrolment enrolment, string json, string server, bool watch)
    {
        Keep(call, enrolment);
        if (call.Json)
        {
            if (watch)
            {
                call.Screen.Json($$"""{"event":"enrolment","data":{{json.ReplaceLineEndings(" ")}}}""");
                call.Screen.Out.Flush();
            }

            return;
        }

        call.Screen.Note($"Run this on the host of {SafeText.Line(server)}, as root (with sudo before it if you are not):\n");
        call.Screen.Note($"  {SafeText.Line(enrolment.Line)}\n");
        TellToken(call, enrolment, server);
        call.Screen.Note("The run waits for it; Ctrl-C only stops watching.\n");
    }

    public static void TellToken(Invocation call, HostEnrolment enrolment, string server)
    {
        if (enrolment.Token is not { } token)
        {
            call.Screen.Note($"If the host asks for a token, make one: msctl servers enrol {ShellWord.Of(server)} --renew");
            return;
        }

        var until = enrolment.ExpiresAt is { } at ? $", good for one host until {at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC" : "";
        call.Screen.Note(call.Get(TokenFile) is { } file ? $"The token that it asks for is in {file}{until}."
            : !Console.IsErrorRedirected ? $"It asks for this token, shown once{until}: {SafeText.Line(token)}"
            : $"The token that it asks for is not shown, because this is no terminal. Into a file: msctl servers enrol {ShellWord.Of(server)} --renew --enrolment-token-file FILE");
    }

    /// <summary>Into the file that was named.</summary>
    public static void Keep(Invocation call, HostEnrolment enrolment)
    {
        if (call.Get(TokenFile) is not { } path || enrolment.Token is not { } token)
        {
            return;
        }

        try
        {
            var aside = $"{path}.{Environment.ProcessId}";
            File.Delete(aside);
            using (var file = new FileStream(aside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes(token + "\n"));
            }

            File.Move(aside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The token cannot be written to {path}: {e.Message}", "The run waits. A new token: msctl servers enrol NAME --renew --enrolment-token-file FILE");
        }
    }
}
