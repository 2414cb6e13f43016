using System.CommandLine;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>What the host runs.</summary>
internal static class SystemOption
{
    public static Option<string?> Make()
    {
        var option = new Option<string?>("--os") { Description = "What the host must turn out to run: auto (as it is found), debian, ubuntu or redhat (CentOS, RHEL and their family).", HelpName = "SYSTEM" };
        option.AcceptOnlyFromAmong("auto", "debian", "ubuntu", "redhat");
        return option;
    }

    /// <summary>As people write what the product tells.</summary>
    public static string Name(string system) => system switch { "debian" => "Debian", "ubuntu" => "Ubuntu", "redHat" => "CentOS/RHEL family", var other => other };
}
