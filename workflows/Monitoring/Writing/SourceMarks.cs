using Npgsql;
using NpgsqlTypes;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Tells new records from known ones by the marks of their spools, and moves the marks on, all in the caller's transaction.</summary>
internal sealed class SourceMarks(NpgsqlConnection connection, NpgsqlTransaction transaction)
{
    /// <returns>For each delivery the id of its spool and the records that are new.</returns>
    public async Task<IReadOnlyDictionary<Delivery, FreshRecords>> Claim(IReadOnlyList<Delivery> deliveries, CancellationToken cancellationToken)
    {
        var spools = new Dictionary<Source, SpoolRecords>(deliveries.Count);
        foreach (var delivery in deliveries)
        {
            var source = delivery.Source;
            if (!spools.TryGetValue(source, out var spool))
            {
                spools.Add(source, spool = new SpoolRecords(source));
            }

            spool.Add(delivery);
        }

        var fresh = new Dictionary<Delivery, FreshRecords>(deliveries.Count);
        // Nearly always the next number of a spool is what comes: one statement for all of them.
        var next = spools.Values.Where(s => s.IsOneRange).ToList();
        var ids = await Continue(next, cancellationToken);
        foreach (var (position, id) in ids)
        {
            foreach (var delivery in next[position].Deliveries)
            {
                fresh[delivery] = new FreshRecords(id, delivery.Beats, delivery.Samples);
            }
        }

        if (ids.Count < spools.Count)
        {
            var others = spools.Values.Except(ids.Select(i => next[i.Position])).ToList();
            await new UnusualSources(connection, transaction).Claim(others, fresh, cancellationToken);
        }

        return fresh;
    }

    /// <summary>Of spools whose records follow on what has been received; where they do not, or there is anything else to be looked at, nothing happens.</summary>
    /// <returns>Positions, each with the spool's id.</returns>
    private async Task<List<(int Position, long Id)>> Continue(List<SpoolRecords> spools, CancellationToken cancellationToken)
    {
        if (spools.Count == 0)
        {
            return [];
        }

        // In one order everywhere, so that two nodes wait for each other and seldom in a circle.
        spools.Sort((one, other) => one.Source.CompareTo(other.Source));
        await using var command = new NpgsqlCommand("""
            update monitoring.source s
            set seen = s.seen + int8multirange(int8range(k.first, k.last + 1)), clock_offset = coalesce(k.clock_offset, s.clock_offset), last_at = greatest(s.last_at, k.at)
            from unnest($1, $2, $3, $4, $5, $6, $7) with ordinality as k(server_id, kind, epoch, first, last, clock_offset, at, position)
            where s.server_id = k.server_id and s.kind = k.kind and s.epoch = k.epoch and upper(s.seen) = k.first and not s.superseded
            returning k.position - 1, s.id
            """, connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. spools.Select(s => s.Source.ServerId)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. spools.Select(s => s.Source.Kind)] },
                new NpgsqlParameter<byte[][]> { TypedValue = [.. spools.Select(s => s.Last.Epoch)] },
                new NpgsqlParameter<long[]> { TypedValue = [.. spools.Select(s => s.First)] },
                new NpgsqlParameter<long[]> { TypedValue = [.. spools.Select(s => s.First + s.Count - 1)] },
                new NpgsqlParameter<double?[]> { TypedValue = [.. spools.Select(s => s.Last.Clock.Offset)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Double },
                new NpgsqlParameter<DateTime[]> { TypedValue = [.. spools.Select(s => s.Last.Clock.ReceivedAt.UtcDateTime)] },
            },
        };
        var done = new List<(int, long)>(spools.Count);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            done.Add(((int)reader.GetInt64(0), reader.GetInt64(1)));
        }

        return done;
    }
}

/// <summary>What a batch holds of one spool.</summary>
internal sealed class SpoolRecords(Source source)
{
    private readonly List<Delivery> deliveries = new(1);

    public Source Source { get; } = source;
    public IReadOnlyList<Delivery> Deliveries => deliveries;

    /// <summary>The one received last.</summary>
    public Delivery Last { get; private set; } = null!;
    public long First { get; private set; }
    public int Count { get; private set; }

    /// <summary>Each number is the one after the one before.</summary>
    public bool IsOneRange { get; private set; } = true;

    public void Add(Delivery delivery)
    {
        deliveries.Add(delivery);
        Last = deliveries.Count == 1 || delivery.Clock.ReceivedAt >= Last.Clock.ReceivedAt ? delivery : Last;
        foreach (var beat in delivery.Beats)
        {
            Add(beat.Beat.Seq!.Value);
        }

        foreach (var sample in delivery.Samples)
        {
            Add(sample.Sample.Seq!.Value);
        }
    }

    private void Add(long seq)
    {
        First = Count == 0 ? seq : First;
        IsOneRange &= seq == First + Count++;
    }
}

/// <summary>What of a delivery had not been received before.</summary>
internal sealed record FreshRecords(long SourceId, IReadOnlyList<HeartbeatRow> Beats, IReadOnlyList<SampleRow> Samples)
{
    public int Count => Beats.Count + Samples.Count;
}
