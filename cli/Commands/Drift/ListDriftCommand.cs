using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Drift;

/// <summary>What was found on hosts.</summary>
internal static class ListDriftCommand
{
    private static readonly Argument<string?> Name = DriftArguments.OneOrAll();

    public static DocumentedCommand Build() => new DocumentedCommand("list", "List what on hosts is not as it was asked for.")
    {
        Notes = ["It is what the last look has found. The product looks every 15 minutes by itself (its schedule is called check-drift); msctl drift check looks now."],
        Examples = ["msctl drift list", "msctl drift list ns1 -o json"],
    }.With(Name).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        IReadOnlyList<ServerDrift> servers;
        string json;
        if (call.Get(Name) is { } name)
        {
            var one = await call.Product.Drift.Of(name, cancellationToken);
            (servers, json) = ([one.Value], one.Json);
        }
        else
        {
            var all = await call.Product.Drift.List(cancellationToken);
            (servers, json) = (all.Value.Items, all.Json);
        }

        if (call.Json)
        {
            call.Screen.Json(json);
            return ExitCode.Done;
        }

        var table = new TextTable(("SERVER", Fit.Whole), ("COMPONENT", Fit.Whole), ("SINCE", Fit.Whole), ("ANSWER", Fit.Whole), ("WHAT", Fit.MayShrink));
        foreach (var server in servers)
        {
            if (server.Problem is { } problem)
            {
                table.Row(server.Server, new Cell("-", Tone.Quiet), Words.Ago(server.CheckedAt, call.Now), new Cell("-", Tone.Quiet), new Cell($"Could not be looked at: {problem}", Tone.Bad));
            }

            foreach (var finding in server.Findings)
            {
                table.Row(server.Server, finding.Component, Words.Ago(finding.Since, call.Now), finding.CanBeAccepted ? "reapply or accept" : "reapply", new Cell(finding.What, Tone.Warning));
            }
        }

        table.Write(call.Screen, servers is [{ CheckedAt: null }] ? "Nobody has looked yet. To look now: msctl drift check" : "Everything that was looked at is as it was asked for.");
        return ExitCode.Done;
    }
}
