using System.Diagnostics;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench.Pull;

/// <summary>What fetching costs, beside a loop of ssh over open connections.</summary>
internal static class PullFigures
{
    private const int Hosts = 40;
    private const int Sweeps = 25;
    private const int Rounds = 5;
    private const int WarmUps = 15;

    public static IReadOnlyList<string> Parts { get; } = ["sweep"];

    public static async IAsyncEnumerable<Figure> Measure(BenchArguments arguments)
    {
        await using var postgres = await BenchPostgres.Start(arguments.Data);
        var bench = new Bench(postgres, arguments.Quick);
        await using var fleet = await PulledFleet.Start(postgres, Path.Combine(arguments.Data, "fleet"), bench.Of(Hosts));
        // Both with their connections open. A product runs for months: its code is compiled for good only after some ten seconds of work.
        await fleet.ByHand("open");
        for (var n = 0; n < (arguments.Quick ? 2 : WarmUps); n++)
        {
            await Ours(fleet);
        }

        var pair = await bench.SideBySide(async () => Rounds * fleet.Count / await fleet.ByHand("read", Rounds), () => Ours(fleet), arguments.Quick ? 1 : 5);
        await fleet.ByHand("close");
        yield return Figure.Rate("pull: hosts read, committed and acknowledged", "hosts/s", "multiplexed ssh that runs cat, 8 at a time", pair, 5);
    }

    private static async Task<double> Ours(PulledFleet fleet)
    {
        var began = Stopwatch.GetTimestamp();
        for (var n = 0; n < Sweeps; n++)
        {
            await fleet.Sweep();
        }

        return Sweeps * fleet.Count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
