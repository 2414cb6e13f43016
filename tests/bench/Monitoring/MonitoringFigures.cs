using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Monitoring;

/// <summary>What measurements take to keep, and to ask for.</summary>
internal static class MonitoringFigures
{
    public static IReadOnlyList<(string Name, Func<Bench, string, IAsyncEnumerable<Figure>> Measure)> Parts { get; } = [("bytes", ByteFigures.Measure), ("year", YearFigures.Measure)];

    public static async IAsyncEnumerable<Figure> Measure(BenchArguments arguments)
    {
        await using var postgres = await BenchPostgres.Start(arguments.Data);
        foreach (var (_, measure) in Parts.Where(p => arguments.Wants(p.Name)))
        {
            await foreach (var figure in measure(new Bench(postgres, arguments.Quick), arguments.Data))
            {
                yield return figure;
            }
        }
    }
}
