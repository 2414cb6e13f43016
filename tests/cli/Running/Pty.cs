using System.Diagnostics;
using System.Text;

namespace ManagedServers.Cli.Tests.Running;

/// <summary>The executable on a terminal of a chosen size, made by `script`.</summary>
public static class Pty
{
    public static RunningMsctl Start(Msctl msctl, int columns, int rows, params string[] arguments)
    {
        // Without noflsh the kernel throws away what the program writes while it is still passing on a Ctrl-C.
        var command = string.Join(' ', arguments.Prepend(Msctl.Executable).Select(a => $"'{a}'"));
        var start = new ProcessStartInfo("script", ["-qefc", $"stty cols {columns} rows {rows} noflsh; exec env --default-signal=INT,QUIT {command}", "/dev/null"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, StandardOutputEncoding = Encoding.UTF8,
        };
        msctl.Prepare(start);
        return new RunningMsctl(Process.Start(start)!, null, TimeSpan.FromSeconds(60));
    }
}
