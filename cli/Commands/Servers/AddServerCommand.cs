using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Adds a host, once its key was accepted.</summary>
internal static class AddServerCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "What to call it; unique" };
    private static readonly Option<string?> Address = new("--address") { Description = "Address or host name that the product dials. With --manual only for the proof from outside.", HelpName = "HOST" };
    private static readonly Option<bool> Manual = new("--manual") { Description = "The product gets no login: whoever installs runs one line on the host." };
    private static readonly Option<int> Port = new("--port") { Description = "Port of its SSH server. 22 if not given.", HelpName = "PORT", DefaultValueFactory = _ => 22 };
    private static readonly Option<string> User = new("--ssh-user") { Description = "Who to log in as. root if not given.", HelpName = "NAME", DefaultValueFactory = _ => "root" };

    private static readonly Option<string?> Login = LoginOption.Make();
    private static readonly Option<string?> System = SystemOption.Make();

    private static readonly Option<string?> Password = new("--ssh-password-file", "--password-file")
    {
        Description = "Read the SSH password from this file; - for standard input. Asked for on a terminal if neither it nor a key is given.", HelpName = "FILE",
    };

    private static readonly Option<string?> Key = new("--key-file") { Description = "Log in with this private key instead; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string?> Passphrase = new("--passphrase-file") { Description = "Read the key's passphrase from this file.", HelpName = "FILE" };

    private static readonly Option<string?> Route = new("--route") { Description = "Reach it through this SSH route (msctl routes list).", HelpName = "NAME" };
    private static readonly Option<string?> Api = new("--api-address") { Description = "Where the host reaches the product. The product's own setting if not given.", HelpName = "URL" };

    public static DocumentedCommand Build() => new DocumentedCommand("add", "Add a host.")
    {
        Notes =
        [
            "Asks the host for its key first and shows the fingerprint; nothing secret is sent before it was accepted. Compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host.",
            "The user is root, or becomes root through sudo without a password, or is in the group docker and never becomes root. Which, is looked at; what works best is taken, in this order.",
            "Here --password-file means the SSH password. The password file of your own account stands before the command: msctl --password-file FILE servers add …",
        ],
        Examples =
        [
            "msctl servers add ns1 --address 192.0.2.10 --key-file ~/.ssh/id_ed25519",
            "msctl servers add ns1 --address 192.0.2.10 --password-file ns1.password --accept-host-key SHA256:…",
            "msctl servers add ns2 --address 10.2.0.10 --key-file ~/.ssh/id_ed25519 --route dmz",
            "msctl servers add ns1 --manual --api-address https://192.0.2.1:8443",
        ],
    }.With(Name, Manual, Address, Port, User, Login, System, Password, Key, Passphrase, AcceptedKey.Option, Route, Api, StartedRuns.Plan).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        if (call.Get(Manual))
        {
            return await AddManual(call, cancellationToken);
        }

        // Files are read before anybody is asked anything: a wrong name is told at once.
        var (password, key, passphrase) = HostCredentials.Read(call, Password, Key, Passphrase);
        var (address, port, user) = (call.Get(Address) ?? throw new UsageException("--address is needed: where the product reaches the host.", "For a host on which the product shall have no login: --manual"), call.Parse.GetRequiredValue(Port), call.Parse.GetRequiredValue(User));
        var shown = (await call.Product.Servers.Probe(new ProbeRequest(address, port, call.Get(Route)), cancellationToken)).Value;
        AcceptedKey.Judge(call, address, port, shown);
        if (password is null && key is null)
        {
            password = SecretInput.Ask($"SSH password of {user}@{address}", "Give it in a file (--password-file FILE), or a key (--key-file FILE)");
        }

        return await StoredChanges.Do(
            call, ServersApi.Add(new NewServer
            {
                Name = call.Get(Name), Address = address, SshPort = port, SshUser = user, Password = password, PrivateKey = key, Passphrase = passphrase,
                HostKey = shown.Fingerprint, SshRoute = call.Get(Route), ApiAddress = call.Get(Api), Login = call.Get(Login), OperatingSystem = call.Get(System),
            }),
            added => Tell(call, added), cancellationToken);
    }

    private static async Task<int> AddManual(Invocation call, CancellationToken cancellationToken)
    {
        if (call.Get(Password) is not null || call.Get(Key) is not null || call.Get(Passphrase) is not null || call.Get(AcceptedKey.Option) is not null)
        {
            throw new UsageException("With --manual the product has no login on the host, so it takes no password and no key.", "Leave them out, or leave out --manual");
        }

        var request = ServersApi.Add(new NewServer { Name = call.Get(Name), Installation = "manual", Address = call.Get(Address), ApiAddress = call.Get(Api) });
        if (call.Get(StartedRuns.Plan))
        {
            return await StoredChanges.Show(call, request, cancellationToken);
        }

        var added = await call.Product.Changes.Make(request, cancellationToken);
        Tell(call, added, lacksAddress: !call.Json && await LacksAddress(call, cancellationToken));
        return ExitCode.Done;
    }

    /// <summary>The product knows no address of its own to put into the line. The server is added, whatever is answered.</summary>
    private static async Task<bool> LacksAddress(Invocation call, CancellationToken cancellationToken)
    {
        try
        {
            await call.Product.Servers.Enrolment(call.Parse.GetRequiredValue(Name), cancellationToken);
            return false;
        }
        catch (ProductException e)
        {
            return e is RefusedException { Problem.Type: { } type } && type.EndsWith("no-api-address", StringComparison.Ordinal);
        }
    }

    private static void Tell(Invocation call, Answer<Server> added, bool lacksAddress = false)
    {
        if (call.Json)
        {
            call.Screen.Json(added.Json);
            return;
        }

        ServerTables.Page(call.Screen, added.Value, call.Now);
        var name = ShellWord.Of(added.Value.Name);
        var first = lacksAddress ? $"say where its host reaches the product: msctl servers edit {name} --api-address https://…, then "
            : added.Value.Installation == "manual" ? "" : $"msctl servers test {name}, then ";
        call.Screen.Note($"\nAdded. Next: {first}msctl servers install {name} --zone NAME=FILE");
    }
}
