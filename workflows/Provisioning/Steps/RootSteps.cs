using ManagedServers.Engine;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <summary>
/// What only root can do, and the login never becomes: written out for somebody to paste, and waited for. Whether it was done is seen by looking at the host.
/// Where the host needs nothing of the kind, this is nothing.
/// </summary>
public sealed class RootSteps(Servers.Servers servers, Preflight preflight) : Step<RootSteps, PreflightInput, Nothing>
{
    /// <summary>About a week. A wait longer than a few seconds holds no worker; an operator's retry looks at once.</summary>
    internal static readonly Backoff Patience = Backoff.Exponential(2000, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5));

    public override async Task<Nothing> Run(PreflightInput input, StepContext step)
    {
        var open = (await preflight.Checks(input, step.Cancellation)).Where(c => !c.Ok && (c.RootStep || !(input.Mending && c.Mendable))).ToList();
        if (open.Count == 0)
        {
            step.Unchanged("nothing is left for root to do on this host");
            return Nothing.Value;
        }

        var forRoot = open.Where(c => c.RootStep).ToList();
        if (forRoot.Count == 0)
        {
            throw new InvalidOperationException($"The host has changed since it was checked: {string.Join(" ", open.Select(c => $"{c.Name}: found {c.Found}, needed {c.Needed}. {c.Fix}"))}");
        }

        if (step.Attempt == 1 || step.WasInterrupted)
        {
            step.Log("To be done as root on the host, each line as it stands:");
            foreach (var check in forRoot)
            {
                step.Log($"# {check.Name}: {check.Found}");
                step.Log(check.Fix!);
            }
        }

        var server = await servers.Get(input.ServerId.ToString(), step.Cancellation);
        throw new InvalidOperationException(
            $"Root must do this on {server.Name} ({server.Address}), where {server.SshUser} never becomes root: {string.Join(" ", forRoot.Select((c, at) => forRoot.Count == 1 ? c.Fix : $"({at + 1}) {c.Fix}"))} "
            + $"(because of {string.Join("; ", forRoot.Select(c => $"{c.Name}: {c.Found}"))}). The run goes on by itself when it is done, and at once with: msctl runs retry {step.RunId}");
    }
}
