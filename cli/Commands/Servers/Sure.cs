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
        if (!yes)
        {
            RequireTerminal(doing);
            Ask(doing, question((await call.Product.Servers.Get(name, cancellationToken)).Value), not);
        }
    }

    /// <inheritdoc cref="Ask(Invocation, bool, string, string, Func{Server, string}, string, CancellationToken)"/>
    public static void Ask(string doing, string question, string not)
    {
        RequireTerminal(doing);
        if (!Terminal.Confirm(SafeText.Line(question)))
        {
            throw new UsageException(not);
        }
    }

    private static void RequireTerminal(string doing)
    {
        if (!Terminal.CanAsk)
        {
            throw new UsageException($"Whether to {doing} could not be asked: there is no terminal.", "If you are sure: --yes");
        }
    }
}
