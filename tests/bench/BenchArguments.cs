namespace ManagedServers.Bench;

/// <summary>What to measure, and where to put it.</summary>
internal sealed record BenchArguments(IReadOnlyList<string> Only, bool Quick, string Data, string Out)
{
    private const string Usage = "usage: bench [engine] [steps|runs|starts|latency|cancel|growth|takeover ...] [--quick] [--data FOLDER] [--out FOLDER]";

    public static BenchArguments Read(string[] args)
    {
        var only = new List<string>();
        var quick = false;
        var data = Path.Combine(Path.GetTempPath(), $"managed-servers-bench-{Environment.ProcessId}");
        var output = Directory.GetCurrentDirectory();
        for (var n = 0; n < args.Length; n++)
        {
            switch (args[n])
            {
                case "engine": break;
                case "--quick": quick = true; break;
                case "--data" when n + 1 < args.Length: data = args[++n]; break;
                case "--out" when n + 1 < args.Length: output = args[++n]; break;
                case "steps" or "runs" or "starts" or "latency" or "cancel" or "growth" or "takeover": only.Add(args[n]); break;
                default: throw new ArgumentException($"'{args[n]}' is not known. {Usage}");
            }
        }

        return new BenchArguments(only, quick, Path.GetFullPath(data), Path.GetFullPath(output));
    }
}
