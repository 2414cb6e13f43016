using System.Text.Encodings.Web;
using System.Text.Json;

namespace ManagedServers.Bench;

/// <summary>All figures of a run, for people and for programs.</summary>
internal sealed class Report(string name, bool quick)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<Figure> figures = [];
    private readonly double loadBefore = Load();

    public IEnumerable<Figure> Missed => figures.Where(f => !f.Met);

    public void Add(Figure figure)
    {
        figures.Add(figure);
        Bench.Say($"{figure.Name}: {Figure.Number(figure.Value)}{figure.ValueUnit}, target {figure.Target}");
    }

    public void Print(TextWriter to)
    {
        string[] heads = [name, "ours", "reference", "", "value", "target", ""];
        var rows = figures.ConvertAll(f => new[]
        {
            f.Name, $"{Figure.Number(f.Ours)} {f.Unit}", $"{Figure.Number(f.Reference)} {f.Unit}", f.ReferenceName,
            Figure.Number(f.Value) + f.ValueUnit + f.Spread, f.Target, f.Met ? "met" : "MISSED",
        });
        var widths = heads.Select((h, n) => rows.Select(r => r[n].Length).Append(h.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(heads))
        {
            to.WriteLine(string.Join("  ", row.Select((cell, n) => n is 1 or 2 or 4 ? cell.PadLeft(widths[n]) : cell.PadRight(widths[n]))).TrimEnd());
        }

        to.WriteLine($"{Environment.ProcessorCount} cores, load {Figure.Number(loadBefore)} before and {Figure.Number(Load())} after{(quick ? "; quick: fewer and smaller rounds" : "")}.");
    }

    public void Write(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, JsonSerializer.Serialize(
            new { at = TimeProvider.System.GetUtcNow(), cores = Environment.ProcessorCount, loadBefore, loadAfter = Load(), quick, figures }, Json) + "\n");
    }

    private static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
}
