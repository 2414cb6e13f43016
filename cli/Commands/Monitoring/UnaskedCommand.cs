using System.CommandLine;
using System.Globalization;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>Names that could go.</summary>
internal static class UnaskedCommand
{
    private static readonly Argument<string> Server = ServerArgument.Make();
    private static readonly Option<int?> Days = new("--days") { Description = "For how long nobody has asked. 90 if not given.", HelpName = "N" };
    private static readonly Option<string?> Zone = new("--zone") { Description = "Only this zone.", HelpName = "ZONE" };
    private static readonly Option<int?> Limit = new("--limit") { Description = "How many names at most. The product decides if not given.", HelpName = "N" };

    public static DocumentedCommand Build() => new DocumentedCommand("unasked", "Show the names of a server's zones that nobody has asked for.")
    {
        Notes =
        [
            "Read the lines under the table before a name is removed: they say how much of the time, and how many of the queries, were listened to. Other servers of the zone have their own list.",
            "A wildcard counts as asked with any name that it stands for, a delegation with any name below it.",
        ],
        Examples = ["msctl unasked ns1", "msctl unasked ns1 --days 365 --zone example.org -o csv"],
        AlsoCsv = true,
    }.With(Server, Days, Zone, Limit).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var query = MonitoringApi.Unasked(call.Get(Server), call.Get(Days), call.Get(Zone), call.Get(Limit));
        if (call.Csv)
        {
            return await CsvLines.Write(call, query, cancellationToken);
        }

        var page = await call.Product.Monitoring.Get(query, ClientJson.Default.UnaskedPage, cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(page.Json);
        }
        else
        {
            Write(call.Screen, page.Value);
        }

        return ExitCode.Done;
    }

    private static void Write(Screen screen, UnaskedPage page)
    {
        var table = new TextTable(("NAME", Fit.Whole), ("TYPES", Fit.MayShrink), ("ZONE", Fit.Whole), ("LAST ACCESS", Fit.Whole));
        foreach (var name in page.Items)
        {
            table.Row(name.Name, string.Join(' ', name.Types), name.Zone, name.LastAccess is { } at ? Words.Time(at) : "never seen");
        }

        table.Write(screen, "Every name was asked for in this period.");
        screen.Line();
        screen.Line($"{Words.Many(page.Total, "name")} not asked for from {Words.Time(page.From)} to {Words.Time(page.To)}.");
        screen.Line(Listened(page.Listened));
        if (page.Unknown.Count > 0)
        {
            screen.Line(SafeText.Line($"Not looked at, because their contents are other servers': {string.Join(", ", page.Unknown)}"));
        }

        if (page.Next is not null)
        {
            screen.Note("There are more names: --limit N", Tone.Quiet);
        }
    }

    private static string Listened(Listened listened) => listened.Since is not { } since
        ? "Nobody has listened in this period: this list proves nothing."
        : string.Create(CultureInfo.InvariantCulture, $"Listened since {Words.Time(since)}, {listened.Time * 100:0.#} % of the period; ")
            + (listened.Share is { } share
                ? string.Create(CultureInfo.InvariantCulture, $"{listened.Named} of {Words.Many(listened.Queries, "query", "queries")} were seen with their name ({share * 100:0.#} %).")
                : "no query came.");
}
