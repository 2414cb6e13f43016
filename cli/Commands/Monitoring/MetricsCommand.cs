using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>What was measured on a server: load, memory, disks, connections.</summary>
internal static class MetricsCommand
{
    // What a line of the table shows in its last column.
    private const int Width = 32;

    private static readonly Argument<string> Server = ServerArgument.Make();
    private static readonly Argument<string[]> Names = new("METRIC") { Description = "As in load.1, or disk.used{/} for one of several; all if none is given", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Since = new("--since", "--from") { Description = "Start of the period: a time (2026-01-31T08:00Z) or how long ago (30m, 24h, 7d). 24 hours ago if not given.", HelpName = "WHEN" };
    private static readonly Option<string?> To = new("--to") { Description = "End of the period, likewise. Now if not given.", HelpName = "WHEN" };
    private static readonly Option<int?> Points = new("--points") { Description = $"Into how many values the period is cut. {Width} if not given.", HelpName = "N" };

    public static DocumentedCommand Build() => new DocumentedCommand("metrics", "Show what was measured on a server: load, processors, memory, disks, connections, interfaces.")
    {
        Notes =
        [
            "Without METRIC one line for each, with its course; with METRIC its values too. Of a counter the growth per second is shown. Where nothing was measured there is a gap, never a zero. "
                + "-o csv and -o json have everything.",
        ],
        Examples = ["msctl servers metrics ns1", "msctl servers metrics ns1 load.1 --since 7d --points 14", "msctl servers metrics ns1 'disk.used{/}' --since 365d --points 365 -o csv"],
        AlsoCsv = true,
    }.With(Server, Names, Since, To, Points).Does(Run);

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var names = call.Get(Names) ?? [];
        var filter = new MetricFilter { Metrics = names, From = Moment.Of(call, Since), To = Moment.Of(call, To), Points = call.Get(Points) ?? Width };
        if (filter.From is { } from && from >= (filter.To ?? call.Now))
        {
            throw new UsageException("The period ends before it begins.", "--since must be earlier than --to, which is now if not given.");
        }

        var query = MonitoringApi.Metrics(call.Get(Server), filter);
        if (call.Csv)
        {
            return await CsvLines.Write(call, query, cancellationToken);
        }

        var values = await call.Product.Monitoring.Get(query, ClientJson.Default.MetricValues, cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(values.Json);
        }
        else
        {
            Write(call.Screen, values.Value, names.Length > 0);
        }

        return ExitCode.Done;
    }

    private static void Write(Screen screen, MetricValues answer, bool withValues)
    {
        var table = new TextTable(("METRIC", Fit.MayShrink), ("LAST", Fit.Right), ("MIN", Fit.Right), ("MEAN", Fit.Right), ("MAX", Fit.Right), ("COURSE", Fit.Whole));
        foreach (var series in answer.Series)
        {
            var values = series.Points.Select(p => p.Value).OfType<double>().ToList();
            table.Row(
                series.Name, Text(values.Count > 0 ? values[^1] : null), Text(series.Points.Min(p => p.Min ?? p.Value)), Text(values.Count > 0 ? values.Average() : null), Text(series.Points.Max(p => p.Max ?? p.Value)),
                Sparkline.Of([.. series.Points.Select(p => p.Value)], Width));
            string Text(double? value) => MetricText.Of(series, value);
        }

        table.Write(screen, "Nothing was measured in this period.");
        if (answer.Series.Count > 0)
        {
            screen.Line();
            screen.Line($"From {Words.Time(answer.From)} to {Words.Time(answer.To)}, a value every {Words.Span(TimeSpan.FromSeconds(answer.StepSeconds))}.");
        }

        foreach (var series in withValues ? answer.Series : [])
        {
            screen.Line();
            var points = new TextTable(("AT", Fit.Whole), (series.Name, Fit.Right), ("MIN", Fit.Right), ("MAX", Fit.Right));
            foreach (var point in series.Points)
            {
                points.Row(Words.Time(point.At), point.Value is null ? "-" : MetricText.Of(series, point.Value), MetricText.Of(series, point.Min), MetricText.Of(series, point.Max));
            }

            points.Write(screen, "");
        }
    }
}
