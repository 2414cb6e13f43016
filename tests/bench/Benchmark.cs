using ManagedServers.Bench.Figures;
using ManagedServers.Bench.Ingest;
using ManagedServers.Bench.Monitoring;
using ManagedServers.Bench.Provisioning;
using ManagedServers.Bench.Pull;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench;

/// <summary>One report: its figures, and what they need in common.</summary>
/// <param name="Parts">The names by which some of its figures are measured alone.</param>
internal sealed record Benchmark(string Name, IReadOnlyList<string> Parts, Func<BenchArguments, IAsyncEnumerable<Figure>> Measure)
{
    private static readonly (string Name, Func<Bench, IAsyncEnumerable<Figure>> Measure)[] Engine =
    [
        ("steps", StepFigures.Measure), ("runs", RunFigures.Measure), ("starts", StartFigures.Measure), ("latency", LatencyFigures.Measure),
        ("cancel", CancelFigures.Measure), ("growth", GrowthFigures.Measure), ("takeover", TakeoverFigures.Measure),
    ];

    public static IReadOnlyList<Benchmark> All { get; } =
    [
        new("engine", [.. Engine.Select(f => f.Name)], MeasureEngine),
        new("provisioning", [.. ProvisioningFigures.Parts.Select(f => f.Name)], ProvisioningFigures.Measure),
        new("monitoring", [.. MonitoringFigures.Parts.Select(f => f.Name)], MonitoringFigures.Measure),
        new("ingest", IngestFigures.Parts, IngestFigures.Measure),
        new("pull", [.. PullFigures.Parts], PullFigures.Measure),
    ];

    private static async IAsyncEnumerable<Figure> MeasureEngine(BenchArguments arguments)
    {
        await using var postgres = await BenchPostgres.Start(arguments.Data);
        var bench = new Bench(postgres, arguments.Quick);
        foreach (var (_, measure) in Engine.Where(f => arguments.Wants(f.Name)))
        {
            await foreach (var figure in measure(bench))
            {
                yield return figure;
            }
        }
    }
}
