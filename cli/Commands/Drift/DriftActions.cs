using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Commands;
using ManagedServers.Cli.Commands.Servers;

namespace ManagedServers.Cli.Commands.Drift;

/// <summary>The server, or all of them.</summary>
internal static class DriftArguments
{
    public static Argument<string?> OneOrAll() => new("NAME") { Description = "Name or id of the server; all if not given", Arity = ArgumentArity.ZeroOrOne };
}

/// <summary>What is done about drift.</summary>
internal static class DriftActions
{
    private static readonly Argument<string?> OneOrAll = DriftArguments.OneOrAll();
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<string?> Component = new("--component") { Description = "Only this one: dns or dhcp.", HelpName = "NAME" };
    private static readonly Option<string?> Message = new("--message", "-m") { Description = "Why; kept with the version.", HelpName = "TEXT" };

    public static DocumentedCommand Check() => Build("check", "Look at hosts now. Changes nothing on them.", ["msctl drift check", "msctl drift check ns1"],
        "A host at which a run is at work is left out, and one that cannot be reached is a line of the run's log. A host without a login says every minute what it has, and what it has said last is compared.")
        .With([OneOrAll, .. StartedRuns.Watching]).Does((call, cancellationToken) => Follow(call, call.Product.Drift.Check(call.Get(OneOrAll), Key(), cancellationToken), cancellationToken));

    public static DocumentedCommand Reapply() => Build("reapply", "Put back on a host what was asked for.", ["msctl drift reapply ns1"],
        "Files, images and containers that are gone or other ones are put back; what an operator has stopped stays stopped.")
        .With([Name, .. AroundOptions.All, .. StartedRuns.Options]).Does((call, cancellationToken) => StartedRuns.Do(call, DriftApi.Reapply(call.Get(Name), AroundOptions.In(call, new CommandsRequest())), cancellationToken, server: call.Get(Name)));

    public static DocumentedCommand Accept() => Build("accept", "Make the configuration files on a host the next version.", ["msctl drift accept ns1 -m 'the night shift changed the mail server'"],
        "They are read from the host, checked and proven as any other version. Only zone files and Kea's document can be accepted, and nothing on a host without a login, which the product cannot read; anything else is refused with the reason.")
        .With([Name, Component, Message, .. AroundOptions.All, .. StartedRuns.Options])
        .Does((call, cancellationToken) => StartedRuns.Do(call, DriftApi.Accept(call.Get(Name), AroundOptions.In(call, new AcceptDrift(call.Get(Component), call.Get(Message)))), cancellationToken));

    private static DocumentedCommand Build(string verb, string what, string[] examples, string note) => new(verb, what) { Notes = [note], Examples = examples };

    private static string Key() => Guid.CreateVersion7().ToString();

    private static async Task<int> Follow(Invocation call, Task<Answer<StartedRun>> start, CancellationToken cancellationToken) =>
        await StartedRuns.Follow(call, await start, cancellationToken);
}
