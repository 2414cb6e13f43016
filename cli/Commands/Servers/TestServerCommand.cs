using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Looks whether a host can be managed.</summary>
internal static class TestServerCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string?> Components = new("--components")
    {
        Description = "What is to be installed, with commas: dns, dhcp, monitor. What is installed, or DNS, if not given.", HelpName = "LIST",
    };

    public static DocumentedCommand Build() => new DocumentedCommand("test", "Test the connection and what a host must have. Changes nothing.")
    {
        Notes = [$"Ends with {ExitCode.Refused} when a check failed."],
        Examples = ["msctl servers test ns1", "msctl servers test ns1 --components dhcp"],
    }.With(Name, Components).Does(async (call, cancellationToken) =>
    {
        var result = await call.Product.Servers.Test(call.Get(Name), new ComponentsRequest(call.Get(Components) is { } list ? InstallInput.Components(list) : null), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(result.Json);
        }
        else
        {
            Write(call.Screen, result.Value);
        }

        return result.Value.Ok ? ExitCode.Done : ExitCode.Refused;
    });

    private static void Write(Screen screen, TestResult result)
    {
        var table = new TextTable(("CHECK", Fit.Whole), ("RESULT", Fit.Whole), ("FOUND", Fit.MayShrink), ("NEEDED", Fit.MayShrink));
        foreach (var check in result.Checks)
        {
            table.Row(check.Name, check.Ok ? new Cell("ok", Tone.Good) : check.RootStep ? new Cell("for root", Tone.Warning) : new Cell("failed", Tone.Bad), check.Found, check.Needed);
        }

        table.Write(screen, "The product made no check.");
        // A fix is a command to copy: whole, on a line of its own, under the table.
        foreach (var check in result.Checks.Where(c => !c.Ok && c.Fix is { Length: > 0 }))
        {
            screen.Line();
            screen.Line(check.RootStep ? $"For root to do on the host, because of {SafeText.Line(check.Name)}:" : $"To fix {SafeText.Line(check.Name)}:");
            foreach (var line in SafeText.Lines(check.Fix))
            {
                screen.Line($"  {line}");
            }
        }

        var (failed, forRoot) = (result.Checks.Count(c => c is { Ok: false, RootStep: false }), result.Checks.Count(c => c.RootStep));
        screen.Line();
        if (forRoot > 0)
        {
            screen.Line(screen.Paint($"{Words.Many(forRoot, "thing")} for root to do: an install shows it again, and waits until it is done.", Tone.Warning));
        }

        screen.Line(result.Ok ? screen.Paint("The host can be managed.", Tone.Good) : screen.Paint($"{Words.Many(failed, "check")} failed.", Tone.Bad));
    }
}
