using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Routes;

/// <summary>Stores a route, once the keys of its hops were accepted.</summary>
internal static class AddRouteCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "What to call it; unique" };
    private static readonly Option<string[]> Hops = HopOption.Make("Without a file the password is asked for.");

    public static DocumentedCommand Build() => new DocumentedCommand("add", "Store a chain of 1 to 5 jump hosts.")
    {
        Notes =
        [
            "The product logs in on one hop after the other, each through those before it, and shows the key of each before anything secret is sent to it.",
            "Use it with: msctl servers add NAME --address HOST --route NAME. The address is then looked up and reached by the last hop.",
        ],
        Examples =
        [
            "msctl routes add dmz --hop ops@jump1.example,key-file=jump.key --hop ops@10.1.0.2:2222,password-file=jump2.password",
            "msctl routes add lab --hop root@192.0.2.1,password-file=p,host-key=SHA256:…",
        ],
    }.With(Name, Hops, AcceptedKey.Option, StartedRuns.Plan).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var hops = (call.Get(Hops) ?? []).Select(HopOption.Parse).ToList();
        if (hops.Count == 0)
        {
            throw new UsageException("No jump host was given.", "For example --hop ops@jump.example,key-file=jump.key");
        }

        foreach (var (index, hop) in hops.Index().Where(h => h.Item is { Password: null, PrivateKey: null }).ToList())
        {
            hops[index] = hop with { Password = SecretInput.Ask($"SSH password of {hop.SshUser}@{hop.Address}", "Give it in a file (…,password-file=FILE), or a key (…,key-file=FILE)") };
        }

        return await HopOption.WithAcceptedKeys(call, hops, () => StoredChanges.Do(call, RoutesApi.Add(new NewRoute(call.Get(Name), hops)), added =>
        {
            RouteTables.Tell(call, added);
            call.Screen.Note($"\nAdded. Next: msctl servers add NAME --address HOST --route {SafeText.Line(added.Value.Name)}");
        }, cancellationToken));
    }
}

/// <summary>Changes a route.</summary>
internal static class EditRouteCommand
{
    private static readonly Argument<string> Name = RouteArgument.Make();
    private static readonly Option<string?> NewName = new("--name") { Description = "Call it so from now on.", HelpName = "NAME" };
    private static readonly Option<string[]> Hops = HopOption.Make("All hops anew; one that is there keeps the secret and the host key that are not given.");
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, for the route's history.", HelpName = "TEXT" };

    public static DocumentedCommand Build() => new DocumentedCommand("edit", "Change a route's name or its hops.")
    {
        Notes = ["The product logs in on every hop first: a wrong password leaves the route as it was. Servers go the new way from their next connection on."],
        Examples =
        [
            "msctl routes edit dmz --name office",
            "msctl routes edit dmz --hop ops@jump1.example --hop ops@10.1.0.2,key-file=new.key --reason 'quarterly rotation'",
        ],
    }.With(Name, NewName, Hops, AcceptedKey.Option, Reason, StartedRuns.Plan).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var hops = (call.Get(Hops) ?? []).Select(HopOption.Parse).ToList();
        if (hops.Count == 0 && call.Get(NewName) is null)
        {
            throw new UsageException("Nothing to change was given.", "For example --name NAME or --hop USER@HOST,key-file=FILE; all: msctl routes edit --help");
        }

        return await HopOption.WithAcceptedKeys(call, hops, () => StoredChanges.Do(
            call, RoutesApi.Edit(call.Get(Name), new RouteChange(call.Get(NewName), hops.Count > 0 ? hops : null, call.Get(Reason))), edited => RouteTables.Tell(call, edited), cancellationToken));
    }
}
