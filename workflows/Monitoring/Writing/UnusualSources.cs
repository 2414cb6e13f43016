using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Spools that are new, send what was received before, leave numbers out, or are heard although another one has taken their place.</summary>
internal sealed class UnusualSources(NpgsqlConnection connection, NpgsqlTransaction transaction)
{
    // "msms" in ASCII. Two nodes that each hear a spool of one server for the first time must see each other's.
    private const long LockKey = 0x6D736D73;

    private sealed record Row(long Id, Guid ServerId, string Kind, byte[] Epoch, string Seen, long Lost, bool Superseded);

    private sealed record Claimed(SpoolRecords Spool, Row Row, SequenceSet Seen)
    {
        public int Fresh { get; set; }
    }

    public async Task Claim(IReadOnlyList<SpoolRecords> spools, Dictionary<Delivery, FreshRecords> fresh, CancellationToken cancellationToken)
    {
        var rows = await Lock(spools, cancellationToken);
        if (rows.Count < spools.Count)
        {
            await Add([.. spools.Where(s => !rows.ContainsKey(s.Source))], cancellationToken);
            rows = await Lock(spools, cancellationToken);
        }

        var claimed = spools.Select(spool => new Claimed(spool, rows[spool.Source], SequenceSet.Parse(rows[spool.Source].Seen, rows[spool.Source].Lost))).ToList();
        foreach (var claim in claimed)
        {
            foreach (var delivery in claim.Spool.Deliveries)
            {
                var records = new FreshRecords(claim.Row.Id,
                    [.. delivery.Beats.Where(b => claim.Seen.Add(b.Beat.Seq!.Value))], [.. delivery.Samples.Where(s => claim.Seen.Add(s.Sample.Seq!.Value))]);
                fresh[delivery] = records;
                claim.Fresh += records.Count;
            }
        }

        await Save(claimed, cancellationToken);
        // What was sent before may be anybody's copy of it; only what is new tells that a second agent lives.
        await Contest([.. claimed.Where(c => c.Row.Superseded && c.Fresh > 0).GroupBy(c => (c.Row.ServerId, c.Row.Kind)).Select(g => g.MaxBy(c => c.Spool.Last.Clock.ReceivedAt)!)], cancellationToken);
    }

    private async Task<Dictionary<Source, Row>> Lock(IReadOnlyList<SpoolRecords> spools, CancellationToken cancellationToken)
    {
        // In one order everywhere, so that two nodes wait for each other and never in a circle.
        var rows = await connection.QueryAsync<Row>(new CommandDefinition("""
            select s.id, s.server_id as ServerId, s.kind, s.epoch, s.seen::text as seen, s.lost, s.superseded
            from monitoring.source s
            join unnest(@servers, @kinds, @epochs) as k(server_id, kind, epoch) using (server_id, kind, epoch)
            order by s.id for update of s
            """, Keys(spools), transaction, cancellationToken: cancellationToken));
        return rows.ToDictionary(r => new Source(r.ServerId, r.Kind, new Guid(r.Epoch)));
    }

    private async Task Add(IReadOnlyList<SpoolRecords> spools, CancellationToken cancellationToken)
    {
        var arguments = Keys(spools);
        arguments.Add("ats", spools.Select(s => s.Last.Clock.ReceivedAt.UtcDateTime).ToArray());
        arguments.Add("LockKey", LockKey);
        await connection.ExecuteAsync(new CommandDefinition("""
            select pg_advisory_xact_lock(@LockKey);
            insert into monitoring.source (server_id, kind, epoch, first_at, last_at)
            select server_id, kind, epoch, at, at from unnest(@servers, @kinds, @epochs, @ats) as k(server_id, kind, epoch, at)
            on conflict do nothing;
            update monitoring.source s set superseded = true
            from (select distinct on (server_id, kind) * from unnest(@servers, @kinds, @epochs, @ats) as k(server_id, kind, epoch, at) order by server_id, kind, at desc) k
            where s.server_id = k.server_id and s.kind = k.kind and s.epoch <> k.epoch and not s.superseded;
            """, arguments, transaction, cancellationToken: cancellationToken));
    }

    private Task Save(List<Claimed> claimed, CancellationToken cancellationToken) => connection.ExecuteAsync(new CommandDefinition("""
        update monitoring.source s
        set seen = u.seen::int8multirange, lost = u.lost, duplicates = s.duplicates + u.duplicates, clock_offset = coalesce(u.clock_offset, s.clock_offset), last_at = greatest(s.last_at, u.at)
        from unnest(@ids, @seen, @lost, @duplicates, @offsets, @ats) as u(id, seen, lost, duplicates, clock_offset, at)
        where s.id = u.id
        """, new
    {
        ids = claimed.Select(c => c.Row.Id).ToArray(),
        seen = claimed.Select(c => c.Seen.ToString()).ToArray(),
        lost = claimed.Select(c => c.Seen.Lost).ToArray(),
        duplicates = claimed.Select(c => (long)(c.Spool.Count - c.Fresh)).ToArray(),
        offsets = claimed.Select(c => c.Spool.Last.Clock.Offset).ToArray(),
        ats = claimed.Select(c => c.Spool.Last.Clock.ReceivedAt.UtcDateTime).ToArray(),
    }, transaction, cancellationToken: cancellationToken));

    /// <summary>Takes the place back, so that the other one is noticed too when it is heard next.</summary>
    private async Task Contest(IReadOnlyList<Claimed> claimed, CancellationToken cancellationToken)
    {
        if (claimed.Count == 0)
        {
            return;
        }

        await connection.ExecuteAsync(new CommandDefinition("""
            update monitoring.source s set superseded = s.id <> u.id, contested_at = case when s.id = u.id then u.at else s.contested_at end
            from unnest(@ids, @servers, @kinds, @ats) as u(id, server_id, kind, at)
            where s.server_id = u.server_id and s.kind = u.kind
            """, new
        {
            ids = claimed.Select(c => c.Row.Id).ToArray(),
            servers = claimed.Select(c => c.Row.ServerId).ToArray(),
            kinds = claimed.Select(c => c.Row.Kind).ToArray(),
            ats = claimed.Select(c => c.Spool.Last.Clock.ReceivedAt.UtcDateTime).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
    }

    private static DynamicParameters Keys(IReadOnlyList<SpoolRecords> spools) => new(new
    {
        servers = spools.Select(s => s.Source.ServerId).ToArray(),
        kinds = spools.Select(s => s.Source.Kind).ToArray(),
        epochs = spools.Select(s => s.Last.Epoch).ToArray(),
    });
}
