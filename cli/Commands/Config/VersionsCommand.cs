using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Config;

/// <summary>What a component was asked to serve, from the newest to the first.</summary>
internal static class VersionsCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Argument<string> Component = ConfigArguments.Component();
    private static readonly Option<int> Limit = new("--limit") { Description = "At most this many.", HelpName = "N", DefaultValueFactory = _ => 50 };

    public static DocumentedCommand Build() => new DocumentedCommand("versions", "List the versions of what a component was asked to serve.")
    {
        Notes = ["A version that was never served is one whose run has failed, or has not ended."],
        Examples = ["msctl config versions ns1 dns", "msctl config versions ns1 dhcp --limit 5 -o json"],
    }.With(Name, Component, Limit).Does(async (call, cancellationToken) =>
    {
        var (name, component, limit) = (call.Get(Name), call.Get(Component), call.Get(Limit));
        if (limit < 1)
        {
            throw new UsageException("--limit: a number from 1 on was expected.");
        }

        var versions = await Pages.All(before => call.Product.Configuration.Versions(name, component, Math.Min(limit, 200), before, cancellationToken), limit);
        if (call.Json)
        {
            call.Screen.Json(versions.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("VERSION", Fit.Right), ("STATE", Fit.Whole), ("FROM", Fit.Whole), ("WHO", Fit.Whole), ("WHEN", Fit.Whole), ("MESSAGE", Fit.MayShrink));
        foreach (var version in versions.Value.Take(limit))
        {
            table.Row(Words.Count(version.Version), State(version), version.Source, version.Who, Words.Time(version.At), version.Message);
        }

        table.Write(call.Screen, $"{component} was never asked to serve anything on {name}.");
        return ExitCode.Done;
    });

    private static Cell State(ConfigurationVersion version) =>
        version.Current ? new Cell("served", Tone.Good) : version.AppliedAt is null ? new Cell("never served", Tone.Warning) : new Cell("was served", Tone.Quiet);
}
