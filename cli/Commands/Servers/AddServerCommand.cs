using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Adds a host, once its key was accepted.</summary>
internal static class AddServerCommand
{
    private const string Shown = "shown";
    private static readonly Argument<string> Name = new("NAME") { Description = "What to call it; unique" };
    private static readonly Option<string> Address = new("--address") { Description = "Address or host name that the product dials.", HelpName = "HOST", Required = true };
    private static readonly Option<int> Port = new("--port") { Description = "Port of its SSH server. 22 if not given.", HelpName = "PORT", DefaultValueFactory = _ => 22 };
    private static readonly Option<string> User = new("--ssh-user") { Description = "Who to log in as. root if not given.", HelpName = "NAME", DefaultValueFactory = _ => "root" };

    private static readonly Option<string?> Password = new("--ssh-password-file", "--password-file")
    {
        Description = "Read the SSH password from this file; - for standard input. Asked for on a terminal if neither it nor a key is given.", HelpName = "FILE",
    };

    private static readonly Option<string?> Key = new("--key-file") { Description = "Log in with this private key instead; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string?> Passphrase = new("--passphrase-file") { Description = "Read the key's passphrase from this file.", HelpName = "FILE" };

    private static readonly Option<string?> Accept = new("--accept-host-key")
    {
        Description = "Accept the host's key without a question if it has this fingerprint (SHA256:…); with `shown`, accept whatever the host shows.", HelpName = "FINGERPRINT|shown",
    };

    private static readonly Option<string?> Api = new("--api-address") { Description = "Where the host reaches the product. The product's own setting if not given.", HelpName = "URL" };

    public static DocumentedCommand Build() => new DocumentedCommand("add", "Add a host.")
    {
        Notes =
        [
            "Asks the host for its key first and shows the fingerprint; nothing secret is sent before it was accepted. Compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host.",
            "Here --password-file means the SSH password. The password file of your own account stands before the command: msctl --password-file FILE servers add …",
        ],
        Examples =
        [
            "msctl servers add ns1 --address 192.0.2.10 --key-file ~/.ssh/id_ed25519",
            "msctl servers add ns1 --address 192.0.2.10 --password-file ns1.password --accept-host-key SHA256:…",
        ],
    }.With(Name, Address, Port, User, Password, Key, Passphrase, Accept, Api).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        if (call.Get(Password) is not null && call.Get(Key) is not null)
        {
            throw new UsageException("Both a password and a key were given.", "Give one: --password-file FILE or --key-file FILE");
        }

        if (call.Get(Passphrase) is not null && call.Get(Key) is null)
        {
            throw new UsageException("A passphrase was given, but no key.", "Add --key-file FILE");
        }

        // Files are read before anybody is asked anything: a wrong name is told at once.
        var password = call.Get(Password) is { } file ? SecretInput.Line(file, "an SSH password") : null;
        var key = call.Get(Key) is { } keyFile ? SecretInput.All(keyFile, "a private key") : null;
        var passphrase = call.Get(Passphrase) is { } passphraseFile ? SecretInput.Line(passphraseFile, "a passphrase") : null;
        var (address, port, user) = (call.Parse.GetRequiredValue(Address), call.Parse.GetRequiredValue(Port), call.Parse.GetRequiredValue(User));
        var shown = (await call.Product.Servers.Probe(new ProbeRequest(address, port), cancellationToken)).Value;
        Judge(call, address, port, shown);
        if (password is null && key is null)
        {
            password = SecretInput.Ask($"SSH password of {user}@{address}", "Give it in a file (--password-file FILE), or a key (--key-file FILE)");
        }

        var added = await call.Product.Servers.Add(
            new NewServer
            {
                Name = call.Get(Name), Address = address, SshPort = port, SshUser = user, Password = password, PrivateKey = key, Passphrase = passphrase,
                HostKey = shown.Fingerprint, ApiAddress = call.Get(Api),
            },
            cancellationToken);
        Tell(call, added);
        return ExitCode.Done;
    }

    private static void Judge(Invocation call, string address, int port, HostKey shown)
    {
        var fingerprint = SafeText.Line(shown.Fingerprint);
        call.Screen.Note($"Host key of {SafeText.Line(address)}:{port} ({SafeText.Line(shown.Algorithm)}): {fingerprint}");
        switch (call.Get(Accept))
        {
            case Shown:
                call.Screen.Note("Accepted as shown.");
                return;
            case { } expected when expected == shown.Fingerprint:
                call.Screen.Note("It is the expected one.");
                return;
            case { } expected:
                throw new UsageException(
                    $"The host shows another key than was expected; nothing was sent to it.\n  expected: {expected}\n  shown:    {fingerprint}",
                    "The host may have been installed anew, or somebody stands in between: compare on the host itself.");
            case null when !Terminal.CanAsk:
                throw new UsageException(
                    "Whether this is the host's key could not be asked: there is no terminal. Nothing was added.",
                    $"Compare it on the host, then give --accept-host-key {fingerprint} (or --accept-host-key shown, where the network is trusted)");
            case null when !Terminal.Confirm("Is it the right one?"):
                throw new UsageException("Not accepted; nothing was added.");
        }
    }

    private static void Tell(Invocation call, Answer<Server> added)
    {
        if (call.Json)
        {
            call.Screen.Json(added.Json);
            return;
        }

        ServerTables.Page(call.Screen, added.Value, call.Now);
        var name = SafeText.Line(added.Value.Name);
        call.Screen.Note($"\nAdded. Next: msctl servers test {name}, then msctl servers install {name} --zone NAME=FILE");
    }
}
