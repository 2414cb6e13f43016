using System.Globalization;

namespace ManagedServers.Bench;

/// <summary>One line of the report.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Unit">Of both values.</param>
/// <param name="Ours">The engine's value.</param>
/// <param name="ReferenceName">What stands beside it.</param>
/// <param name="Reference">Its value, measured in the same run.</param>
/// <param name="Value">What is compared with the target: most often the ratio.</param>
/// <param name="Bound">The target.</param>
/// <param name="AtLeast">The value is to reach the bound, or to stay below it.</param>
internal sealed record Figure(
    string Name, string Unit, double Ours, string ReferenceName, double Reference, double Value, double Bound, bool AtLeast, string ValueUnit = "")
{
    /// <summary>Of the value, over the repetitions; null where it is one of many samples.</summary>
    public double? Min { get; init; }

    public double? Max { get; init; }

    public string Spread => Min is { } min && Max is { } max ? $" ({Number(min)} to {Number(max)})" : "";

    public bool Met => AtLeast ? Value >= Bound : Value <= Bound;

    public string Target => $"{(AtLeast ? "≥" : "≤")} {Bound.ToString(CultureInfo.InvariantCulture)}{ValueUnit}";

    public static Figure Rate(string name, string unit, string referenceName, Paired pair, double atLeast) =>
        new(name, unit, pair.Ours, referenceName, pair.Reference, pair.Ratio, atLeast, true) { Min = pair.Min, Max = pair.Max };

    /// <param name="pair">Of seconds.</param>
    public static Figure Ratio(string name, string referenceName, Paired pair, double atMost) =>
        new(name, "s", pair.Ours, referenceName, pair.Reference, pair.Ratio, atMost, false) { Min = pair.Min, Max = pair.Max };

    public static Figure Time(string name, string referenceName, double ours, double reference, double atMost) =>
        new(name, "ms", ours, referenceName, reference, ours / reference, atMost, false);

    public static string Number(double value) => value.ToString(value switch { >= 100 => "#,0", >= 10 => "0.0", _ => "0.00" }, CultureInfo.InvariantCulture);
}
