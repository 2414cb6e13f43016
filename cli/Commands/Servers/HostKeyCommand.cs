using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;
using ManagedServers.Cli.Watching;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Asks whether a host's new key is to be accepted.</summary>
internal static class HostKeyCommand
{
    private const string Step = "accept";
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why the key changed, for the history.", HelpName = "TEXT" };

    public static DocumentedCommand Build() => new DocumentedCommand("host-key", "Accept the key of a host that shows another one than before.")
    {
        Notes =
        [
            "Starts a run that shows both keys and waits for a yes: asked here on a terminal, given by --accept-host-key, or by anybody who may: msctl runs approve ID. It proves the login before it accepts the key.",
            "Runs that paused because of the key can be retried then: msctl runs retry ID.",
        ],
        Examples = ["msctl servers host-key ns1 --reason 'installed anew'", "msctl servers host-key ns1 --accept-host-key SHA256:…"],
    }.With(Name, AcceptedKey.Option, Reason, StartedRuns.Plan).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var request = ServersApi.AskHostKey(call.Get(Name), new HostKeyRequest(call.Get(Reason)), Guid.CreateVersion7().ToString());
        if (call.Get(StartedRuns.Plan))
        {
            return await StoredChanges.Do(call, request, _ => { }, cancellationToken);
        }

        var server = (await call.Product.Servers.Get(call.Get(Name), cancellationToken)).Value;
        var asked = await call.Product.Changes.Make(request, cancellationToken);
        var (run, shown) = (asked.Value.RunId, asked.Value.Shown);
        call.Screen.Note($"Accepted until now: {SafeText.Line(asked.Value.Accepted.Fingerprint)}");
        if (call.Get(AcceptedKey.Option) is null && !Terminal.CanAsk)
        {
            call.Screen.Note($"Shown now:          {SafeText.Line(shown.Fingerprint)}\nTo accept it: msctl runs approve {run}   otherwise: msctl runs reject {run}");
            if (call.Json)
            {
                call.Screen.Json(asked.Json);
            }
            else
            {
                call.Screen.Line(run.ToString());
            }

            return ExitCode.Done;
        }

        var decision = new ActionRequest { Reason = call.Get(Reason) };
        try
        {
            AcceptedKey.Judge(call, server.Address ?? server.Name, server.SshPort ?? 22, shown);
        }
        catch (UsageException)
        {
            await call.Product.Changes.Make(RunsApi.Decide(run, Step, approved: false, decision), cancellationToken);
            throw;
        }

        await call.Product.Changes.Make(RunsApi.Decide(run, Step, approved: true, decision), cancellationToken);
        return await RunWatch.ToTheEnd(call, run, cancellationToken);
    }
}
