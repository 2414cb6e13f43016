using System.Globalization;
using System.Text;

namespace ManagedServers.Dashboard.Parts;

/// <summary>One line of a chart.</summary>
/// <param name="Values">In the order of their times; null where nothing was measured.</param>
public sealed record ChartLine(string Name, IReadOnlyList<(DateTimeOffset At, double? Value)> Values)
{
    public double? Last => Values.LastOrDefault(v => v.Value is not null).Value;

    public double Highest => Values.Max(v => v.Value) ?? 0;
}

/// <summary>Where the lines of a chart run, as SVG has it.</summary>
internal sealed record ChartFrame(DateTimeOffset From, DateTimeOffset To, double Top, double Width, double Height)
{
    /// <summary>The path of a line, interrupted where there is no value. A value alone is a dot, because the ends are round.</summary>
    public string Path(ChartLine line)
    {
        var path = new StringBuilder();
        var drawing = false;
        foreach (var (at, value) in line.Values)
        {
            if (value is { } number)
            {
                var (x, y) = (Width * ((at - From) / (To - From)), Height * (1 - number / Top));
                path.Append(CultureInfo.InvariantCulture, $"{(drawing ? 'L' : 'M')}{x:0.#} {y:0.#}{(drawing ? "" : "h0")}");
            }

            drawing = value is not null;
        }

        return path.ToString();
    }

    /// <summary>The least round number that is not below: 1, 2 or 5 at its front, of bytes in their units.</summary>
    public static double RoundUp(double value, double unit)
    {
        var scale = 1.0;
        while (unit > 1 && value / scale >= unit)
        {
            scale *= unit;
        }

        var ten = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value / scale, 1e-9))));
        return scale * ten * new[] { 1.0, 2, 5, 10 }.First(step => step * ten >= value / scale - 1e-12);
    }
}
