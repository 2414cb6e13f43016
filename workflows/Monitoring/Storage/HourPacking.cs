using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>An hour of a server of which beats still stand as rows.</summary>
internal sealed record WaitingHour(Guid ServerId, DateTime Hour, long Beats);

/// <summary>Moves the rows of some hours into their packed ones and rolls these up anew, in the caller's transaction: once, whatever came before or late.</summary>
internal sealed class HourPacking(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
{
    private sealed record Block(Guid ServerId, DateTime At, byte[] Data);

    /// <returns>How many beats were packed.</returns>
    public async Task<long> Pack(IReadOnlyList<WaitingHour> hours)
    {
        var rows = await Take(hours);
        var known = await Load("heartbeat_hour", [.. rows.Keys]);
        var beats = rows.ToDictionary(r => r.Key, r => Merge(r.Value, known.GetValueOrDefault(r.Key)));
        await SaveBeats(beats);
        var minutes = beats.ToDictionary(b => b.Key, b => Rollups.Minutes(b.Value));
        await Save(Level.Minute, minutes);
        var days = await RollUp(Level.Hour, minutes);
        await RollUp(Level.Day, days);
        return rows.Sum(r => r.Value.Count);
    }

    private static IReadOnlyList<StoredHeartbeat> Merge(IEnumerable<WideRow> rows, byte[]? packed)
    {
        var beats = StoredBeats.InOrder(rows.Select(r => r.Beat()).Concat(packed is null ? [] : PackedBeats.Unpack(packed)));
        return beats.Count <= Compaction.MostBeats ? beats : [.. beats.Take(Compaction.MostBeats)];
    }

    private async Task<Dictionary<(Guid, DateTime), List<WideRow>>> Take(IReadOnlyList<WaitingHour> hours)
    {
        var taken = new Dictionary<(Guid, DateTime), List<WideRow>>();
        foreach (var hour in hours)
        {
            var arguments = new { server = hour.ServerId, from = hour.Hour, to = hour.Hour.AddHours(1), most = Compaction.MostBeats };
            if (hour.Beats > Compaction.MostBeats)
            {
                await connection.ExecuteAsync(new CommandDefinition("""
                    delete from monitoring.heartbeat
                    where server_id = @server and at < @to and (at, seq) >= (
                        select at, seq from monitoring.heartbeat where server_id = @server and at >= @from and at < @to order by at, seq offset @most limit 1)
                    """, arguments, transaction, cancellationToken: cancellationToken));
            }

            var rows = (await connection.QueryAsync<WideRow>(new CommandDefinition(
                $"delete from monitoring.heartbeat where server_id = @server and at >= @from and at < @to returning {WideRow.Columns}",
                arguments, transaction, cancellationToken: cancellationToken))).AsList();
            if (rows.Count > 0)
            {
                taken[(hour.ServerId, hour.Hour)] = rows;
            }
        }

        return taken;
    }

    /// <summary>Puts the whole of each finer block in its place in a coarser one.</summary>
    private async Task<Dictionary<(Guid, DateTime), Rollups>> RollUp(Level level, Dictionary<(Guid ServerId, DateTime At), Rollups> finer)
    {
        var keys = finer.Keys.Select(k => (k.ServerId, level.Block(k.At))).Distinct().ToList();
        var known = await Load(level.Table, keys);
        var blocks = keys.ToDictionary(k => k, k => known.TryGetValue(k, out var data) ? Rollups.Unpack(level, data) : new Rollups(level));
        foreach (var ((server, at), block) in finer)
        {
            blocks[(server, level.Block(at))].Replace(level.Slot(at), block.Whole());
        }

        await Save(level, blocks);
        return blocks;
    }

    private async Task<Dictionary<(Guid, DateTime), byte[]>> Load(string table, IReadOnlyList<(Guid Server, DateTime At)> keys)
    {
        var blocks = await connection.QueryAsync<Block>(new CommandDefinition($"""
            select server_id as "ServerId", at as "At", data as "Data" from unnest(@servers, @ats) as k(server_id, at)
            join monitoring.{table} using (server_id, at)
            """, Arguments(keys), transaction, cancellationToken: cancellationToken));
        return blocks.ToDictionary(b => (b.ServerId, b.At), b => b.Data);
    }

    private Task SaveBeats(Dictionary<(Guid, DateTime), IReadOnlyList<StoredHeartbeat>> hours)
    {
        var arguments = new DynamicParameters(Arguments([.. hours.Keys]));
        arguments.Add("beats", hours.Values.Select(b => b.Count).ToArray());
        arguments.Add("onTime", hours.Values.Select(b => b.Count(beat => !beat.Late)).ToArray());
        arguments.Add("data", hours.Values.Select(PackedBeats.Pack).ToArray());
        return connection.ExecuteAsync(new CommandDefinition("""
            insert into monitoring.heartbeat_hour (server_id, at, beats, on_time, data) select * from unnest(@servers, @ats, @beats, @onTime, @data)
            on conflict (server_id, at) do update set beats = excluded.beats, on_time = excluded.on_time, data = excluded.data
            """, arguments, transaction, cancellationToken: cancellationToken));
    }

    private Task Save(Level level, Dictionary<(Guid, DateTime), Rollups> blocks)
    {
        var arguments = new DynamicParameters(Arguments([.. blocks.Keys]));
        arguments.Add("data", blocks.Values.Select(b => b.Pack()).ToArray());
        return connection.ExecuteAsync(new CommandDefinition($"""
            insert into monitoring.{level.Table} (server_id, at, data) select * from unnest(@servers, @ats, @data)
            on conflict (server_id, at) do update set data = excluded.data
            """, arguments, transaction, cancellationToken: cancellationToken));
    }

    private static object Arguments(IReadOnlyList<(Guid Server, DateTime At)> keys) =>
        new { servers = keys.Select(k => k.Server).ToArray(), ats = keys.Select(k => k.At).ToArray() };
}
