namespace ManagedServers.Cli.Output;

/// <summary>A course of values in one line: eight heights, and a blank where there is no value.</summary>
internal static class Sparkline
{
    private const string Heights = "▁▂▃▄▅▆▇█";

    public static string Of(IReadOnlyList<double?> values, int width)
    {
        var cells = Enumerable.Range(0, Math.Min(width, values.Count)).Select(cell => Mean(values, cell, Math.Min(width, values.Count))).ToList();
        var (least, most) = (cells.Min() ?? 0, cells.Max() ?? 0);
        return new string([.. cells.Select(c => c is not { } value ? ' ' : most > least ? Heights[(int)((value - least) / (most - least) * (Heights.Length - 1))] : Heights[0])]).TrimEnd();
    }

    private static double? Mean(IReadOnlyList<double?> values, int cell, int cells)
    {
        var (first, end) = (cell * values.Count / cells, (cell + 1) * values.Count / cells);
        return values.Skip(first).Take(end - first).Average();
    }
}
