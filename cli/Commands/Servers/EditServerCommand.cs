using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Changes what is known of a host.</summary>
internal static class EditServerCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string?> NewName = new("--name") { Description = "Call it so from now on.", HelpName = "NAME" };
    private static readonly Option<string?> Address = new("--address") { Description = "Dial this address or host name.", HelpName = "HOST" };
    private static readonly Option<int?> Port = new("--port") { Description = "Port of its SSH server.", HelpName = "PORT" };
    private static readonly Option<string?> User = new("--ssh-user") { Description = "Who to log in as.", HelpName = "NAME" };

    private static readonly Option<string?> Login = LoginOption.Make();
    private static readonly Option<string?> System = SystemOption.Make();

    private static readonly Option<string?> Password = new("--ssh-password-file", "--password-file")
    {
        Description = "Log in with the password in this file; - for standard input.", HelpName = "FILE",
    };

    private static readonly Option<string?> Key = new("--key-file") { Description = "Log in with this private key; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string?> Passphrase = new("--passphrase-file") { Description = "Read the key's passphrase from this file.", HelpName = "FILE" };
    private static readonly Option<string?> Route = new("--route") { Description = "Reach it through this SSH route; '' to reach it directly.", HelpName = "NAME" };
    private static readonly Option<string?> Api = new("--api-address") { Description = "Where the host reaches the product, from the next install on; '' for the product's own setting.", HelpName = "URL" };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, for the server's history.", HelpName = "TEXT" };

    public static DocumentedCommand Build() => new DocumentedCommand("edit", "Change a server's name, or how the product reaches it.")
    {
        Notes =
        [
            "Where the way to the host changes, the product logs in that way first: a wrong password leaves the right one in place.",
            "A server that is installed by hand becomes one that the product installs when it is given a password or a key.",
            "A host that shows another key than the accepted one is asked about, as by `add`. --accept-host-key alone accepts a host's new key.",
        ],
        Examples =
        [
            "msctl servers edit ns1 --password-file ns1.new-password --reason 'quarterly rotation'",
            "msctl servers edit ns1 --address 192.0.2.11 --accept-host-key SHA256:…",
            "msctl servers edit ns1 --route dmz --plan",
        ],
    }.With(Name, NewName, Address, Port, User, Login, System, Password, Key, Passphrase, AcceptedKey.Option, Route, Api, Reason, StartedRuns.Plan).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var (password, key, passphrase) = HostCredentials.Read(call, Password, Key, Passphrase);
        var change = new ServerChange
        {
            Name = call.Get(NewName), Address = call.Get(Address), SshPort = call.Get(Port), SshUser = call.Get(User), Password = password, PrivateKey = key, Passphrase = passphrase,
            SshRoute = call.Get(Route), ApiAddress = call.Get(Api), Login = call.Get(Login), OperatingSystem = call.Get(System), Reason = call.Get(Reason),
        };
        var sameWay = change is { Address: null, SshPort: null, SshUser: null, Password: null, PrivateKey: null, SshRoute: null, Login: null, OperatingSystem: null } && call.Get(AcceptedKey.Option) is null;
        if (sameWay && change is { Name: null, ApiAddress: null })
        {
            throw new UsageException("Nothing to change was given.", "For example --address HOST or --password-file FILE; all: msctl servers edit --help");
        }

        if (!sameWay)
        {
            change = change with { HostKey = await NewKey(call, change, cancellationToken) };
        }

        return await StoredChanges.Do(call, ServersApi.Edit(call.Get(Name), change), edited =>
        {
            if (call.Json)
            {
                call.Screen.Json(edited.Json);
            }
            else
            {
                ServerTables.Page(call.Screen, edited.Value, call.Now);
            }
        }, cancellationToken);
    }

    /// <summary>The fingerprint to accept, or null where the host shows the key that was accepted before.</summary>
    private static async Task<string?> NewKey(Invocation call, ServerChange change, CancellationToken cancellationToken)
    {
        var server = (await call.Product.Servers.Get(call.Get(Name), cancellationToken)).Value;
        if (server.Installation == "manual" && change is { Password: null, PrivateKey: null })
        {
            return null;
        }

        var address = change.Address ?? server.Address ?? throw new UsageException("--address is needed: where the product reaches the host.");
        var port = change.SshPort ?? server.SshPort ?? 22;
        var shown = (await call.Product.Servers.Probe(new ProbeRequest(address, port, change.SshRoute ?? server.SshRoute), cancellationToken)).Value;
        if (shown.Fingerprint == server.HostKey?.Fingerprint)
        {
            return null;
        }

        call.Screen.Note($"Accepted until now: {SafeText.Line(server.HostKey?.Fingerprint ?? "none")}");
        AcceptedKey.Judge(call, address, port, shown);
        return shown.Fingerprint;
    }
}
