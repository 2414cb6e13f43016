using System.Diagnostics;
using ManagedServers.Bench.Setup;

namespace ManagedServers.Bench;

/// <summary>What every figure needs: the database, how much to do, and the way to measure two things side by side.</summary>
internal sealed record Bench(BenchPostgres Postgres, bool Quick)
{
    public int Rounds => Quick ? 1 : 3;

    public int Of(int whole) => Quick ? Math.Max(1, whole / 4) : whole;

    /// <summary>
    /// Reference, ours, reference, ours …: a machine that is busy with something else slows both. The ratio of a round is of its own two.
    /// </summary>
    public async Task<Paired> SideBySide(Func<Task<double>> reference, Func<Task<double>> ours, int? rounds = null)
    {
        var pairs = new List<(double Reference, double Ours)>();
        for (var round = 0; round < (rounds ?? Rounds); round++)
        {
            var start = CpuTime.Now(Postgres.Pid);
            var theirs = await reference();
            var middle = CpuTime.Now(Postgres.Pid);
            pairs.Add((theirs, await ours()));
            var (before, used) = (middle - start, CpuTime.Now(Postgres.Pid) - middle);
            Say($"  round {round + 1}: {Figure.Number(pairs[^1].Ours)} beside {Figure.Number(theirs)}; processor time {used.Own.TotalSeconds:0.0} s here and "
                + $"{used.Postgres.TotalSeconds:0.0} s in PostgreSQL beside {before.Own.TotalSeconds:0.0} s and {before.Postgres.TotalSeconds:0.0} s");
        }

        return Paired.Of(pairs);
    }

    public static void Say(string line) => Console.Error.WriteLine(line);

    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    public static double Percentile(IEnumerable<double> values, double share)
    {
        var ordered = values.Order().ToList();
        return ordered[Math.Min(ordered.Count - 1, (int)(ordered.Count * share))];
    }

    public static double Ms(long since) => Stopwatch.GetElapsedTime(since).TotalMilliseconds;
}

/// <summary>Medians of the rounds; the ratio is the median of the rounds' ratios.</summary>
internal sealed record Paired(double Reference, double Ours, double Ratio, double Min, double Max)
{
    public static Paired Of(IReadOnlyCollection<(double Reference, double Ours)> rounds)
    {
        var ratios = rounds.Select(r => r.Ours / r.Reference).ToList();
        return new Paired(Bench.Median(rounds.Select(r => r.Reference)), Bench.Median(rounds.Select(r => r.Ours)), Bench.Median(ratios), ratios.Min(), ratios.Max());
    }
}
