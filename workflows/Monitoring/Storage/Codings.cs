namespace ManagedServers.Workflows.Monitoring;

/// <summary>How a column's numbers are told.</summary>
internal enum Coding
{
    /// <summary>By what each differs from the one before: what wanders.</summary>
    Steps,

    /// <summary>By how that differs from the time before: what grows evenly.</summary>
    StepsOfSteps,

    /// <summary>By what each differs from the middle one: noise about a level.</summary>
    Level,
}

/// <summary>Numbers as their coding tells them, and back. Differences may overflow: they come out right again.</summary>
internal static class Codings
{
    public static List<long> Encode(Coding coding, List<long> values)
    {
        switch (coding)
        {
            case Coding.Steps: return Differences(values);
            case Coding.StepsOfSteps: return Differences(Differences(values));
            default:
                var middle = values.Order().ElementAt(values.Count / 2);
                return [middle, .. values.Select(v => unchecked(v - middle))];
        }
    }

    /// <summary>How many numbers tell a column of so many.</summary>
    public static int Length(Coding coding, int rows) => coding == Coding.Level ? rows + 1 : rows;

    public static void Decode(Coding coding, Span<long> told)
    {
        switch (coding)
        {
            case Coding.Steps: Sum(told); break;
            case Coding.StepsOfSteps: Sum(told); Sum(told); break;
            default:
                foreach (ref var value in told[1..])
                {
                    value = unchecked(value + told[0]);
                }

                break;
        }
    }

    private static List<long> Differences(List<long> values)
    {
        var last = 0L;
        return values.ConvertAll(v =>
        {
            var difference = unchecked(v - last);
            last = v;
            return difference;
        });
    }

    private static void Sum(Span<long> values)
    {
        var sum = 0L;
        foreach (ref var value in values)
        {
            sum = value = unchecked(value + sum);
        }
    }
}
