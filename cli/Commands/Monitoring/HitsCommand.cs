using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>How often each name was asked for.</summary>
internal static class HitsCommand
{
    private static readonly Argument<string> Server = ServerArgument.Make();
    private static readonly Option<string?> From = new("--from") { Description = "Start of the period: a time (2026-01-31T08:00Z) or how long ago (30m, 24h, 7d). 24 hours ago if not given.", HelpName = "WHEN" };
    private static readonly Option<string?> To = new("--to") { Description = "End of the period, likewise. Now if not given.", HelpName = "WHEN" };
    private static readonly Option<string?> Zone = new("--zone") { Description = "Only this zone; * stands for anything.", HelpName = "ZONE" };
    private static readonly Option<string?> Name = new("--name") { Description = "Only this name; * stands for anything, as in '*mail*'.", HelpName = "TEXT" };
    private static readonly Option<string?> Type = new("--type") { Description = "Only this record type; * stands for anything.", HelpName = "TYPE" };
    private static readonly Option<string?> Sort = new("--sort") { Description = "By count (in the period), total (ever), last (access) or name. By count if not given.", HelpName = "count|total|last|name" };
    private static readonly Option<int?> Limit = new("--limit") { Description = "How many names at most. The product decides if not given.", HelpName = "N" };

    static HitsCommand() => Sort.AcceptOnlyFromAmong("count", "total", "last", "name");

    public static DocumentedCommand Build() => new DocumentedCommand("hits", "Show how often each name was asked for on a server.")
    {
        Notes = ["Names are counted from what the DNS server reports of each query, totals from its own counter. The line under the table says which share of all queries the names account for."],
        Examples = ["msctl hits ns1", "msctl hits ns1 --from 7d --zone example.org --sort last", "msctl hits ns1 --from 2026-01-01T00:00Z --to 2026-02-01T00:00Z -o csv"],
        AlsoCsv = true,
    }.With(Server, From, To, Zone, Name, Type, Sort, Limit).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var filter = new HitFilter
        {
            From = Moment.Of(call, From), To = Moment.Of(call, To), Zone = call.Get(Zone), Name = call.Get(Name), Type = call.Get(Type)?.ToUpperInvariant(), Sort = call.Get(Sort), Limit = call.Get(Limit),
        };
        if (filter.From is { } from && from >= (filter.To ?? call.Now))
        {
            throw new UsageException("The period ends before it begins.", "--from must be earlier than --to, which is now if not given.");
        }

        var query = MonitoringApi.Hits(call.Get(Server), filter);
        if (call.Csv)
        {
            return await CsvLines.Write(call, query, cancellationToken);
        }

        var hits = await call.Product.Monitoring.Get(query, ClientJson.Default.HitPage, cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(hits.Json);
            return ExitCode.Done;
        }

        Write(call.Screen, hits.Value);
        return ExitCode.Done;
    }

    private static void Write(Screen screen, HitPage page)
    {
        var table = new TextTable(("NAME", Fit.Whole), ("TYPE", Fit.Whole), ("ZONE", Fit.Whole), ("COUNT", Fit.Right), ("TOTAL", Fit.Right), ("LAST ACCESS", Fit.Whole));
        foreach (var hit in page.Items)
        {
            table.Row(hit.Name, hit.Type, hit.Zone, Words.Count(hit.Count), Words.Count(hit.Total), Words.Time(hit.LastAccess));
        }

        if (page is { Next: null, Coverage.Other: > 0 and var others })
        {
            table.Row("other names", "", "", Words.Count(others), "", "");
        }

        table.Write(screen, "No name was asked for in this period.");
        screen.Line();
        foreach (var line in Coverage(page))
        {
            screen.Line(line);
        }

        if (page.Next is not null)
        {
            screen.Note("There are more names: --limit N", Tone.Quiet);
        }
    }

    private static IEnumerable<string> Coverage(HitPage page)
    {
        var period = page is { From: { } from, To: { } to } ? $" from {Words.Time(from)} to {Words.Time(to)}" : "";
        if (page.Coverage is not { } coverage)
        {
            yield return $"The product says nothing about its coverage{period}.";
            yield break;
        }

        var share = coverage.Share is { } part ? string.Create(CultureInfo.InvariantCulture, $" ({part * 100:0.#} %)") : "";
        yield return coverage.Queries == 0
            ? $"Coverage: no queries were counted{period}."
            : $"Coverage: {coverage.Named} of {Words.Many(coverage.Queries, "query", "queries")} were seen with their name{share}{(period.Length > 0 ? "," : "")}{period}.";
        yield return coverage.Connected switch
        {
            true => $"The collector is connected; last sample {Words.Time(coverage.LastSampleAt)}.",
            false => $"The collector is not connected: names are not counted now; last sample {(coverage.LastSampleAt is { } at ? Words.Time(at) : "never")}.",
            null => "Whether the collector is connected is not known.",
        };
    }
}
