namespace ManagedServers.Workflows.Monitoring;

/// <summary>Collects broken rules by field, so that a sender hears of all of them at once.</summary>
internal sealed class Refusals
{
    // A report of a thousand wrong beats needs no thousand lines.
    private const int Most = 20;

    private readonly Dictionary<string, string[]> errors = [];

    public void Require(bool holds, string field, string rule)
    {
        if (!holds && errors.Count < Most)
        {
            errors.TryAdd(field, [rule]);
        }
    }

    /// <summary>Of one period. Ten million of the largest still add up within a bigint.</summary>
    public void Tally(long value, string field) =>
        Require(value is >= 0 and <= 1_000_000_000_000, field, "A count of one period is a whole number from 0 to 10^12.");

    public void Amount(long? value, string field) =>
        Require(value is null or (>= 0 and <= 1L << 60), field, "A count is a whole number from 0 to 2^60.");

    public void Number(double? value, double most, string field) =>
        Require(value is null || (double.IsFinite(value.Value) && value >= 0 && value <= most), field, $"A finite number from 0 to {most:0}.");

    public void Text(string? value, int most, string field) =>
        Require(value is null || (value.Length <= most && value.All(c => c is >= ' ' and <= '~')), field, $"At most {most} printable ASCII characters.");

    public void ThrowIfAny()
    {
        if (errors.Count > 0)
        {
            throw new InvalidInputException(errors);
        }
    }
}
