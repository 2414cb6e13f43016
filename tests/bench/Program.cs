// What the engine costs, each figure beside a reference measured in the same run.
// engine [FIGURE...] [--quick] --data FOLDER --out FOLDER
// node CONNECTION NAME, hangfire-server CONNECTION: processes to be killed
using ManagedServers.Bench;
using ManagedServers.Bench.Figures;
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
await using var postgres = await BenchPostgres.Start(arguments.Data);
var bench = new Bench(postgres, arguments.Quick);
var all = new (string Name, Func<Bench, IAsyncEnumerable<Figure>> Measure)[]
{
    ("steps", StepFigures.Measure),
    ("runs", RunFigures.Measure),
    ("starts", StartFigures.Measure),
    ("latency", LatencyFigures.Measure),
    ("cancel", CancelFigures.Measure),
    ("growth", GrowthFigures.Measure),
    ("takeover", TakeoverFigures.Measure),
};
var report = new Report(arguments.Quick);
try
{
    foreach (var (_, measure) in all.Where(f => arguments.Only.Count == 0 || arguments.Only.Contains(f.Name)))
    {
        await foreach (var figure in measure(bench))
        {
            report.Add(figure);
        }
    }
}
finally
{
    // What was measured is told, also when a later figure could not be.
    report.Print(Console.Out);
    report.Write(Path.Combine(arguments.Out, "engine.json"));
}

return 0;
