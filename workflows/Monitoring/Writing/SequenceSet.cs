using System.Globalization;
using System.Text;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Which sequence numbers of a spool have come: ranges in order, written as PostgreSQL writes an <c>int8multirange</c>.</summary>
internal sealed class SequenceSet
{
    // Beyond it the oldest holes are given up, or a sender that leaves every other number out would grow the row for ever.
    private const int MostRanges = 100;

    // Half open, apart, ascending.
    private readonly List<(long From, long To)> ranges = [];

    /// <summary>Numbers in holes that were given up: they count as seen from then on.</summary>
    public long Lost { get; private set; }

    public static SequenceSet Parse(string multirange, long lost = 0)
    {
        var set = new SequenceSet { Lost = lost };
        foreach (var range in multirange.Trim('{', '}').Split("),", StringSplitOptions.RemoveEmptyEntries))
        {
            var bounds = range.Trim('[', ')').Split(',');
            set.ranges.Add((long.Parse(bounds[0], CultureInfo.InvariantCulture), long.Parse(bounds[1], CultureInfo.InvariantCulture)));
        }

        return set;
    }

    /// <returns>False where the number had been seen.</returns>
    public bool Add(long seq)
    {
        // Numbers come in order nearly always, so the last range is looked at first.
        var i = ranges.Count - 1;
        while (i >= 0 && ranges[i].From > seq)
        {
            i--;
        }

        if (i >= 0 && seq < ranges[i].To)
        {
            return false;
        }

        var joinsLeft = i >= 0 && ranges[i].To == seq;
        var joinsRight = i + 1 < ranges.Count && ranges[i + 1].From == seq + 1;
        if (joinsLeft)
        {
            ranges[i] = (ranges[i].From, joinsRight ? ranges[i + 1].To : seq + 1);
            if (joinsRight)
            {
                ranges.RemoveAt(i + 1);
            }
        }
        else if (joinsRight)
        {
            ranges[i + 1] = (seq, ranges[i + 1].To);
        }
        else
        {
            ranges.Insert(i + 1, (seq, seq + 1));
            GiveUpOldest();
        }

        return true;
    }

    public override string ToString()
    {
        var text = new StringBuilder("{");
        foreach (var (from, to) in ranges)
        {
            text.Append(text.Length > 1 ? "," : "").Append(CultureInfo.InvariantCulture, $"[{from},{to})");
        }

        return text.Append('}').ToString();
    }

    private void GiveUpOldest()
    {
        if (ranges.Count > MostRanges)
        {
            Lost += ranges[1].From - ranges[0].To;
            ranges[0] = (ranges[0].From, ranges[1].To);
            ranges.RemoveAt(1);
        }
    }
}
