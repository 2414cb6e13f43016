using System.CommandLine;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>What the user who logs in may do.</summary>
internal static class LoginOption
{
    public static Option<string?> Make()
    {
        var option = new Option<string?>("--login") { Description = "What that user may do on the host: auto (looks, and takes the first that works), root, sudo or docker.", HelpName = "KIND" };
        option.AcceptOnlyFromAmong("auto", "root", "sudo", "docker");
        return option;
    }
}
