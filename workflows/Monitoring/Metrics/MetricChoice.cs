namespace ManagedServers.Workflows.Monitoring;

/// <summary>Which metrics were asked for.</summary>
internal sealed class MetricChoice
{
    private const int Most = 100;
    private readonly HashSet<int> whole = [];
    private readonly HashSet<SeriesKey> labelled = [];
    private readonly bool all;

    /// <exception cref="InvalidInputException">One is not in the catalogue, or has a label that it cannot have.</exception>
    public MetricChoice(IReadOnlyList<string> names)
    {
        all = names.Count == 0;
        if (names.Count > Most)
        {
            throw new InvalidInputException("metric", $"At most {Most} at once; none for all.");
        }

        foreach (var text in names)
        {
            var start = text.IndexOf('{', StringComparison.Ordinal);
            var metric = MetricCatalogue.Find(start < 0 ? text : text[..start]);
            if (metric is null || (start >= 0 && (metric.Label is null || text[^1] != '}')))
            {
                throw new InvalidInputException("metric", $"'{text}' is not known. For example load.1, memory.available, disk.used or disk.used{{/}}; the catalogue (GET /api/v2/monitoring/metrics) has all of them.");
            }

            if (start < 0)
            {
                whole.Add(metric.Number);
            }
            else
            {
                labelled.Add(new SeriesKey(metric.Number, text[(start + 1)..^1]));
            }
        }
    }

    /// <summary>Some of this metric may be asked for.</summary>
    public bool Names(int metric) => all || whole.Contains(metric) || labelled.Any(k => k.Metric == metric);

    public bool Has(SeriesKey key) => MetricCatalogue.Find(key.Metric) is not null && (all || whole.Contains(key.Metric) || labelled.Contains(key));
}
