using System.Text.Json.Serialization;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>gauge: a state, of which least, mean and most are told; counter: a sum that only grows, of which its growth is told.</summary>
public enum MetricKind { Gauge, Counter }

/// <summary>One thing that is measured again and again.</summary>
/// <param name="Number">Stands for it in packed storage: never changed, never given to another.</param>
/// <param name="Name">As in <c>memory.available</c>.</param>
/// <param name="Label">What tells several of it on one server apart, as in the mount of <c>disk.used{/var}</c>; null where there is one.</param>
/// <param name="Unit">Empty for plain numbers.</param>
/// <param name="Decimals">Digits kept after the point.</param>
public sealed record Metric([property: JsonIgnore] int Number, string Name, string? Label, string Unit, MetricKind Kind, [property: JsonIgnore] int Decimals, string Meaning)
{
    /// <summary>The value as it is stored: a whole number.</summary>
    internal long Scale(double value) => (long)Math.Round(value * Factor);

    internal double Unscale(double value) => value / Factor;

    private double Factor => Decimals switch { 0 => 1, 2 => 100, 4 => 10_000, _ => Math.Pow(10, Decimals) };
}

/// <summary>A metric of a server, told apart by its label.</summary>
internal readonly record struct SeriesKey(int Metric, string? Label = null);
