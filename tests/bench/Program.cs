// What the product costs, each figure beside a reference measured in the same run.
// [engine|provisioning|monitoring|pull] [FIGURE...] [--quick] --data FOLDER --out FOLDER; without a name all of them, and at the end what was missed
// node CONNECTION NAME, hangfire-server CONNECTION: processes to be killed
using ManagedServers.Bench;
using ManagedServers.Bench.Reference;
using ManagedServers.Bench.Setup;

switch (args.FirstOrDefault())
{
    case "node":
        await BenchNode.Serve(args[1], args[2]);
        return 0;
    case "hangfire-server":
        await BareHangfire.Serve(args[1]);
        return 0;
}

var arguments = BenchArguments.Read(args);
List<Figure> missed = [];
foreach (var benchmark in arguments.Benchmarks)
{
    var report = new Report(benchmark.Name, arguments.Quick);
    try
    {
        await foreach (var figure in benchmark.Measure(arguments))
        {
            report.Add(figure);
        }
    }
    finally
    {
        // What was measured is told, also when a later figure could not be.
        report.Print(Console.Out);
        report.Write(Path.Combine(arguments.Out, benchmark.Name + ".json"));
        missed.AddRange(report.Missed);
    }
}

Console.WriteLine(missed.Count == 0 ? "Every target was met." : $"Missed: {string.Join("; ", missed.Select(f => $"{f.Name} ({Figure.Number(f.Value)}{f.ValueUnit}, target {f.Target})"))}");
return 0;
