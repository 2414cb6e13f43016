namespace ManagedServers.Bench;

/// <summary>What to measure, and where to put it.</summary>
internal sealed record BenchArguments(IReadOnlyList<Benchmark> Benchmarks, IReadOnlyList<string> Only, bool Quick, string Data, string Out)
{
    private static string Usage => $"usage: bench [{string.Join("|", Benchmark.All.Select(b => b.Name))}] [FIGURE ...] [--quick] [--data FOLDER] [--out FOLDER]; figures: "
        + string.Join("; ", Benchmark.All.Select(b => $"{b.Name}: {string.Join(' ', b.Parts)}"));

    public bool Wants(string part) => Only.Count == 0 || Only.Contains(part);

    public static BenchArguments Read(string[] args)
    {
        var named = Benchmark.All.Where(b => b.Name == args.FirstOrDefault()).ToList();
        var benchmarks = named.Count > 0 ? named : Benchmark.All;
        var only = new List<string>();
        var quick = false;
        var data = Path.Combine(Path.GetTempPath(), $"managed-servers-bench-{Environment.ProcessId}");
        var output = Directory.GetCurrentDirectory();
        for (var n = named.Count; n < args.Length; n++)
        {
            switch (args[n])
            {
                case "--quick": quick = true; break;
                case "--data" when n + 1 < args.Length: data = args[++n]; break;
                case "--out" when n + 1 < args.Length: output = args[++n]; break;
                case var part when benchmarks.Any(b => b.Parts.Contains(part)): only.Add(part); break;
                default: throw new ArgumentException($"'{args[n]}' is not known. {Usage}");
            }
        }

        return new BenchArguments([.. benchmarks.Where(b => only.Count == 0 || b.Parts.Any(only.Contains))], only, quick, Path.GetFullPath(data), Path.GetFullPath(output));
    }
}
