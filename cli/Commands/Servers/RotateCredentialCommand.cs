using System.CommandLine;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Puts a new credential in the place of the one with which the product logs in on a host.</summary>
internal static class RotateCredentialCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();

    private static readonly Option<string?> Password = new("--ssh-password-file", "--password-file")
    {
        Description = "Set the password in this file on the host, which takes root there; - for standard input.", HelpName = "FILE",
    };

    private static readonly Option<string?> Key = new("--key-file") { Description = "Use this private key; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string?> Passphrase = new("--passphrase-file") { Description = "Read the key's passphrase from this file.", HelpName = "FILE" };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, for the server's history.", HelpName = "TEXT" };

    public static DocumentedCommand Build() => new DocumentedCommand("rotate-credential", "Put a new credential in the place of the one with which the product logs in.")
    {
        Notes =
        [
            "Without a file the product makes a new key that nobody else has, and adds it to the user's authorized_keys on the host.",
            "The new one is proven before the old one goes; a key that somebody else has put on the host stays there. Whatever fails, the credential that is stored works.",
        ],
        Examples = ["msctl servers rotate-credential ns1 --reason 'quarterly rotation'", "msctl servers rotate-credential ns1 --password-file ns1.new-password"],
    }.With([Name, Password, Key, Passphrase, Reason, .. StartedRuns.Options]).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var (password, key, passphrase) = HostCredentials.Read(call, Password, Key, Passphrase);
        return await StartedRuns.Do(call, ServersApi.RotateCredential(call.Get(Name), new RotateRequest(password, key, passphrase, call.Get(Reason))), cancellationToken);
    }
}
