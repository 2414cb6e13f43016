using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>Asks before what cannot be taken back, unless told not to.</summary>
internal static class Sure
{
    // doing completes "Whether to … could not be asked"; the question is asked about the server as it is; not is said after a no.
    public static async Task Ask(Invocation call, bool yes, string name, string doing, Func<Server, string> question, string not, CancellationToken cancellationToken)
    {
        if (yes)
        {
            return;
        }

        if (!Terminal.CanAsk)
        {
            throw new UsageException($"Whether to {doing} could not be asked: there is no terminal.", "If you are sure: --yes");
        }

        if (!Terminal.Confirm(SafeText.Line(question((await call.Product.Servers.Get(name, cancellationToken)).Value))))
        {
            throw new UsageException(not);
        }
    }
}
