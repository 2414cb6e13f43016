using System.Runtime.InteropServices;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Ingest;

/// <summary>What it takes to take in heartbeats: simulator, product and database on the same machine.</summary>
internal static class IngestFigures
{
    private const int Few = 1000;
    private const int Many = 100_000;
    private const double Due = 3400; // a second: 100,000 servers at 30 s

    // Until the product's code has been compiled as it stays: otherwise the few servers, which come first, would pay for it.
    private const int WarmUp = 80_000;

    public static IReadOnlyList<string> Parts { get; } = ["fleet", "writer"];

    public static async IAsyncEnumerable<Figure> Measure(BenchArguments arguments)
    {
        if (arguments.Wants("fleet"))
        {
            await foreach (var figure in OfTheFleet(arguments.Quick))
            {
                yield return figure;
            }
        }

        if (arguments.Wants("writer"))
        {
            await using var postgres = await BenchPostgres.Start(arguments.Data);
            yield return await WriterFigures.Measure(new Bench(postgres, arguments.Quick));
        }
    }

    private static async IAsyncEnumerable<Figure> OfTheFleet(bool quick)
    {
        await using var product = await IngestProduct.Start(Many);
        // The product ends its PostgreSQL in an orderly end only.
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            product.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(25));
            Environment.Exit(143);
        });
        var beats = (long)(Due * (quick ? 10 : 40));
        await product.Register(0, Few);
        await Say("warming up", product.Simulator.Send(Few, WarmUp));
        var (_, few) = await Measured(product, Few, beats);

        await product.Register(Few, Many);
        await Say($"the first beat of each of {Many:N0} servers", product.Simulator.Send(Many, Many));
        var (flow, many) = await Measured(product, Many, beats);
        yield return new Figure($"from sent to visible at {Due:N0}/s, p95", "s", flow.P95 / 1000, "p50", flow.P50 / 1000, flow.P95 / 1000, 2, false, " s");
        yield return new Figure($"processor time of product and database for a heartbeat at {Many:N0} servers", "ms", many, $"at {Few:N0}", few, many / few, 1.2, false);

        List<double> rates = [];
        for (var round = 0; round < (quick ? 1 : 3); round++)
        {
            rates.Add((await Say("as many as it takes", product.Simulator.Send(Many, beats))).Rate);
        }

        yield return new Figure("heartbeats accepted durably over HTTPS", "/s", Bench.Median(rates), $"{Many:N0} servers at 30 s", Due, Bench.Median(rates), Due, true, "/s")
        {
            Min = rates.Min(), Max = rates.Max(),
        };
        await product.MustBeThereOnce();
    }

    /// <returns>Milliseconds of processor time for a heartbeat, with what is written after the commit, up to the database's own cleaning up.</returns>
    private static async Task<(Flow Flow, double Cpu)> Measured(IngestProduct product, int servers, long beats)
    {
        var before = product.Used();
        var flow = await Say($"{Due:N0}/s of {servers:N0} servers", product.Simulator.Send(servers, beats, Due));
        var after = product.Used();
        var (own, postgres) = ((after.Product - before.Product) / beats, (after.Postgres - before.Postgres) / beats);
        Bench.Say($"  processor time for a heartbeat: {own.TotalMicroseconds:0} µs in the product, {postgres.TotalMicroseconds:0} µs in PostgreSQL");
        return (flow, (own + postgres).TotalMilliseconds);
    }

    private static async Task<Flow> Say(string what, Task<Flow> flow)
    {
        Bench.Say($"  {what}: {await flow}");
        return await flow;
    }
}
