using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Locks the rows of the spools in a batch, tells new records from known ones, and writes the marks back, all in the caller's transaction.</summary>
internal sealed class SourceMarks(NpgsqlConnection connection, NpgsqlTransaction transaction)
{
    private sealed record Row(long Id, Guid ServerId, string Kind, string Epoch, string Seen, long Lost);

    /// <returns>For each delivery the id of its spool and the sequence numbers that are new.</returns>
    public async Task<IReadOnlyDictionary<Delivery, FreshRecords>> Claim(IReadOnlyList<Delivery> deliveries)
    {
        var sources = await Lock(deliveries);
        var fresh = new Dictionary<Delivery, FreshRecords>();
        foreach (var delivery in deliveries)
        {
            var (row, seen) = sources[delivery.Source];
            fresh[delivery] = new FreshRecords(row.Id,
                [.. delivery.Beats.Where(b => seen.Add(b.Beat.Seq!.Value))],
                [.. delivery.Samples.Where(s => seen.Add(s.Sample.Seq!.Value))]);
        }

        await Save(deliveries, sources);
        return fresh;
    }

    private async Task<Dictionary<(Guid, string, string), (Row Row, SequenceSet Seen)>> Lock(IReadOnlyList<Delivery> deliveries)
    {
        // In one order everywhere, so that two nodes wait for each other and never in a circle.
        var keys = deliveries.DistinctBy(d => d.Source).OrderBy(d => d.Source).ToList();
        var arguments = new
        {
            servers = keys.Select(k => k.ServerId).ToArray(),
            kinds = keys.Select(k => k.Kind).ToArray(),
            epochs = keys.Select(k => k.Epoch).ToArray(),
            ats = keys.Select(k => k.Clock.ReceivedAt.UtcDateTime).ToArray(),
        };
        await connection.ExecuteAsync("""
            insert into monitoring.source (server_id, kind, epoch, first_at, last_at)
            select server_id, kind, epoch, at, at from unnest(@servers, @kinds, @epochs, @ats) as k(server_id, kind, epoch, at)
            on conflict do nothing
            """, arguments, transaction);
        var rows = await connection.QueryAsync<Row>("""
            select s.id, s.server_id as ServerId, s.kind, encode(s.epoch, 'hex') as epoch, s.seen::text as seen, s.lost
            from monitoring.source s
            join unnest(@servers, @kinds, @epochs) as k(server_id, kind, epoch) using (server_id, kind, epoch)
            order by s.id for update of s
            """, arguments, transaction);
        return rows.ToDictionary(r => (r.ServerId, r.Kind, r.Epoch), r => (r, SequenceSet.Parse(r.Seen, r.Lost)));
    }

    private Task Save(IReadOnlyList<Delivery> deliveries, Dictionary<(Guid, string, string), (Row Row, SequenceSet Seen)> sources)
    {
        var last = deliveries.GroupBy(d => d.Source).Select(g => g.MaxBy(d => d.Clock.ReceivedAt)!).ToList();
        return connection.ExecuteAsync("""
            update monitoring.source s
            set seen = u.seen::int8multirange, lost = u.lost, clock_offset = coalesce(u.clock_offset, s.clock_offset), last_at = greatest(s.last_at, u.at)
            from unnest(@ids, @seen, @lost, @offsets, @ats) as u(id, seen, lost, clock_offset, at)
            where s.id = u.id
            """, new
        {
            ids = last.Select(d => sources[d.Source].Row.Id).ToArray(),
            seen = last.Select(d => sources[d.Source].Seen.ToString()).ToArray(),
            lost = last.Select(d => sources[d.Source].Seen.Lost).ToArray(),
            offsets = last.Select(d => d.Clock.Offset).ToArray(),
            ats = last.Select(d => d.Clock.ReceivedAt.UtcDateTime).ToArray(),
        }, transaction);
    }
}

/// <summary>What of a delivery had not been received before.</summary>
internal sealed record FreshRecords(long SourceId, IReadOnlyList<HeartbeatRow> Beats, IReadOnlyList<SampleRow> Samples)
{
    public int Count => Beats.Count + Samples.Count;
}
