using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Questions about what was measured, over any time and as finely as it is asked for.</summary>
public sealed class Metrics(NpgsqlDataSource database, CurrentMonitoring current, TimeProvider time)
{
    // Some ten megabytes of JSON.
    private const long MostValues = 100_000;

    /// <exception cref="InvalidInputException">An unknown metric, a period or a number of points that is none, or too many values at once.</exception>
    public async Task<MetricsAnswer> Query(Guid serverId, MetricsQuery query, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow();
        var choice = new MetricChoice(query.Metrics);
        var grid = MetricGrid.Of(query, current, now);
        await using var stored = await StoredBeats.At(database, cancellationToken);
        var found = new Dictionary<SeriesKey, MetricPoints>();
        var values = 0L;
        await foreach (var (key, bucket) in new MetricReader(stored, serverId, choice, grid).Read(cancellationToken))
        {
            if (!found.TryGetValue(key, out var points))
            {
                found[key] = points = new MetricPoints(MetricCatalogue.Find(key.Metric)!, grid, now.UtcDateTime);
                values += grid.Steps;
            }

            // Steps without a value are sent too; single beats are as many as there are.
            values += points.Add(bucket) && grid.Steps == 0 ? 1 : 0;
            Limit(values);
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var counted = await new CountedSeries(connection, serverId, choice, grid, now.UtcDateTime, cancellationToken).Read();
        var series = found.Select(f => Series(f.Key, f.Value.All(), grid, now.UtcDateTime)).Concat(counted)
            .OrderBy(s => MetricCatalogue.Find(s.Metric)!.Number).ThenBy(s => s.Label, StringComparer.Ordinal);
        return new MetricsAnswer(new DateTimeOffset(grid.Start), new DateTimeOffset(grid.End), grid.Resolution, grid.Step.TotalSeconds, [.. series.Where(s => s.Points.Any(p => p.Count > 0))]);
    }

    internal static void Limit(long values)
    {
        if (values > MostValues)
        {
            throw new InvalidInputException("points", $"There are more than {MostValues} values: name fewer metrics, or ask for fewer points.");
        }
    }

    private MetricSeries Series(SeriesKey key, IReadOnlyList<MetricPoint> points, MetricGrid grid, DateTime now)
    {
        var metric = MetricCatalogue.Find(key.Metric)!;
        var whole = grid.Level is null ? WithPauses(points, grid, now) : WithEmptySteps(points, grid);
        return new MetricSeries(metric.Name, key.Label, metric.Unit, metric.Kind, [.. whole]);
    }

    private static IEnumerable<MetricPoint> WithEmptySteps(IReadOnlyList<MetricPoint> points, MetricGrid grid)
    {
        var next = 0;
        for (var step = grid.Start; step < grid.End; step += grid.Step)
        {
            yield return next < points.Count && points[next].At.UtcDateTime == step ? points[next++] : new MetricPoint(new DateTimeOffset(step), null);
        }
    }

    /// <summary>Beats come when they come. Where two were missed there is a pause.</summary>
    private IEnumerable<MetricPoint> WithPauses(IReadOnlyList<MetricPoint> points, MetricGrid grid, DateTime now)
    {
        var longest = 2.5 * current.HeartbeatInterval;
        var last = new DateTimeOffset(grid.Start);
        foreach (var point in points)
        {
            if (point.At - last > longest)
            {
                yield return new MetricPoint(last + current.HeartbeatInterval, null);
            }

            yield return point;
            last = point.At;
        }

        if ((grid.End < now ? grid.End : now) - last.UtcDateTime > longest)
        {
            yield return new MetricPoint(last + current.HeartbeatInterval, null);
        }
    }
}
