using Renci.SshNet;

namespace ManagedServers.Lab.Tests;

/// <summary>One command over SSH, as a managed host is reached from outside.</summary>
internal static class SshLogin
{
    public static string Run(LabHost host, string user, string password, string command) =>
        Run(new SshClient(host.Address, user, password), command);

    public static string Run(LabHost host, string user, PrivateKeyFile key, string command) =>
        Run(new SshClient(host.Address, user, key), command);

    private static string Run(SshClient client, string command)
    {
        using (client)
        {
            client.Connect();
            using var ran = client.RunCommand(command);
            return ran.ExitStatus == 0 ? ran.Result.TrimEnd('\n') : $"exit {ran.ExitStatus}: {ran.Error}";
        }
    }
}
