using System.Runtime.CompilerServices;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Collects broken rules by field, so that a sender hears of all of them at once.</summary>
internal sealed class Refusals
{
    // A report of a thousand wrong beats needs no thousand lines.
    private const int Most = 20;

    private readonly Dictionary<string, string[]> errors = [];

    public static bool IsAmount(long? value) => value is null or (>= 0 and <= 1L << 60);

    public static bool IsNumber(double? value, double most) => value is null || (double.IsFinite(value.Value) && value >= 0 && value <= most);

    public static bool IsText(string? value, int most) => value is null || (value.Length <= most && value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0);

    public void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref Field field, string rule)
    {
        if (!holds)
        {
            Add(field.Name(), rule);
        }
    }

    public void Require(bool holds, string field, string rule)
    {
        if (!holds)
        {
            Add(field, rule);
        }
    }

    /// <summary>Of one period. Ten million of the largest still add up within a bigint.</summary>
    public void Tally(long value, string field) =>
        Require(value is >= 0 and <= 1_000_000_000_000, field, "A count of one period is a whole number from 0 to 10^12.");

    public void Amount(long? value, [InterpolatedStringHandlerArgument(nameof(value))] ref Field field)
    {
        if (!IsAmount(value))
        {
            Add(field.Name(), "A count is a whole number from 0 to 2^60.");
        }
    }

    public void Number(double? value, double most, [InterpolatedStringHandlerArgument(nameof(value), nameof(most))] ref Field field)
    {
        if (!IsNumber(value, most))
        {
            Add(field.Name(), $"A finite number from 0 to {most:0}.");
        }
    }

    public void Text(string? value, int most, [InterpolatedStringHandlerArgument(nameof(value), nameof(most))] ref Field field)
    {
        if (!IsText(value, most))
        {
            Add(field.Name(), $"At most {most} printable ASCII characters.");
        }
    }

    public void Text(string? value, int most, string field) => Text(value, most, $"{field}");

    public void ThrowIfAny()
    {
        if (errors.Count > 0)
        {
            throw new InvalidInputException(errors);
        }
    }

    private void Add(string field, string rule)
    {
        if (errors.Count < Most)
        {
            errors.TryAdd(field, [rule]);
        }
    }
}
