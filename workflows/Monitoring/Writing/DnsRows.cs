using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Adds a tally to the tables, in the caller's transaction.</summary>
internal sealed class DnsRows(NpgsqlConnection connection, NpgsqlTransaction transaction, int namesPerServer)
{
    public async Task Store(DnsTally tally)
    {
        if (tally.States.Count > 0)
        {
            await Dns(tally);
        }

        await Counts(tally);
        await Subnets(tally);
    }

    private async Task Dns(DnsTally tally)
    {
        var room = await States(tally);
        var ids = await Known(tally);
        // The names asked most keep a row of their own when there is no room for all.
        var strangers = tally.Names.Where(n => !ids.ContainsKey(n.Key)).OrderByDescending(n => n.Value.Count).Select(n => n.Key).ToList();
        foreach (var server in strangers.GroupBy(n => n.ServerId))
        {
            foreach (var name in server.Skip(room[server.Key]))
            {
                tally.Fold(name);
            }
        }

        await Update(tally, ids);
        await Insert(tally, [.. strangers.Where(tally.Names.ContainsKey)], ids);
        await Hits(tally, ids);
        await Totals(tally);
    }

    /// <summary>Also locks the servers' rows, so that two nodes never add names of one server at once.</summary>
    private async Task<Dictionary<Guid, int>> States(DnsTally tally)
    {
        var states = tally.States.OrderBy(s => s.Key).ToList();
        var rows = await connection.QueryAsync<(Guid ServerId, int Names)>("""
            insert into monitoring.dns_state as s (server_id, last_sample_at, connected)
            select server_id, at, connected from unnest(@servers, @ats, @connected) as u(server_id, at, connected)
            on conflict (server_id) do update set
                connected = case when excluded.last_sample_at >= s.last_sample_at then excluded.connected else s.connected end,
                last_sample_at = greatest(s.last_sample_at, excluded.last_sample_at)
            returning server_id, names
            """, new
        {
            servers = states.Select(s => s.Key).ToArray(),
            ats = states.Select(s => s.Value.At.UtcDateTime).ToArray(),
            connected = states.Select(s => s.Value.Connected).ToArray(),
        }, transaction);
        return rows.ToDictionary(r => r.ServerId, r => Math.Max(0, namesPerServer - r.Names));
    }

    private async Task<Dictionary<NameKey, long>> Known(DnsTally tally)
    {
        var keys = tally.Names.Keys.ToList();
        var arguments = new DynamicParameters(Keys(keys));
        arguments.Add("positions", Enumerable.Range(0, keys.Count).ToArray());
        var rows = await connection.QueryAsync<(int Position, long Id)>("""
            select k.position, n.id
            from unnest(@positions, @servers, @zones, @names, @types) as k(position, server_id, zone, name, type)
            join monitoring.dns_name n on n.server_id = k.server_id and n.zone = k.zone and n.name = k.name and n.type = k.type
            """, arguments, transaction);
        return rows.ToDictionary(r => keys[r.Position], r => r.Id);
    }

    private Task Update(DnsTally tally, Dictionary<NameKey, long> ids)
    {
        var known = ids.OrderBy(i => i.Value).ToList();
        return connection.ExecuteAsync("""
            update monitoring.dns_name n
            set total = n.total + u.count, last_at = greatest(n.last_at, u.last), first_at = least(n.first_at, u.first)
            from unnest(@ids, @counts, @firsts, @lasts) as u(id, count, first, last)
            where n.id = u.id
            """, new
        {
            ids = known.Select(k => k.Value).ToArray(),
            counts = known.Select(k => tally.Names[k.Key].Count).ToArray(),
            firsts = known.Select(k => tally.Names[k.Key].First.UtcDateTime).ToArray(),
            lasts = known.Select(k => tally.Names[k.Key].Last.UtcDateTime).ToArray(),
        }, transaction);
    }

    private async Task Insert(DnsTally tally, IReadOnlyList<NameKey> names, Dictionary<NameKey, long> ids)
    {
        if (names.Count == 0)
        {
            return;
        }

        var arguments = new DynamicParameters(Keys(names));
        arguments.Add("counts", names.Select(n => tally.Names[n].Count).ToArray());
        arguments.Add("firsts", names.Select(n => tally.Names[n].First.UtcDateTime).ToArray());
        arguments.Add("lasts", names.Select(n => tally.Names[n].Last.UtcDateTime).ToArray());
        var added = await connection.QueryAsync<(Guid ServerId, string Zone, string Name, string Type, long Id)>("""
            with added as (
                insert into monitoring.dns_name (server_id, zone, name, type, total, first_at, last_at)
                select * from unnest(@servers, @zones, @names, @types, @counts, @firsts, @lasts)
                returning server_id, zone, name, type, id),
            counted as (
                update monitoring.dns_state s set names = s.names + a.count
                from (select server_id, count(*)::integer as count from added group by server_id) a where s.server_id = a.server_id)
            select server_id, zone, name, type, id from added
            """, arguments, transaction);
        foreach (var row in added)
        {
            ids[new NameKey(row.ServerId, row.Zone, row.Name, row.Type)] = row.Id;
        }
    }

    private Task Hits(DnsTally tally, Dictionary<NameKey, long> ids)
    {
        var hits = tally.Hits.ToList();
        return connection.ExecuteAsync("""
            insert into monitoring.dns_hit as h (server_id, at, name_id, count)
            select * from unnest(@servers, @ats, @ids, @counts)
            on conflict (server_id, at, name_id) do update set count = h.count + excluded.count
            """, new
        {
            servers = hits.Select(h => h.Key.Name.ServerId).ToArray(),
            ats = hits.Select(h => h.Key.At.UtcDateTime).ToArray(),
            ids = hits.Select(h => ids[h.Key.Name]).ToArray(),
            counts = hits.Select(h => h.Value).ToArray(),
        }, transaction);
    }

    private Task Totals(DnsTally tally)
    {
        return connection.ExecuteAsync("""
            insert into monitoring.dns_minute as m (server_id, at, queries, named, other)
            select * from unnest(@servers, @ats, @queries, @named, @other)
            on conflict (server_id, at) do update
            set queries = m.queries + excluded.queries, named = m.named + excluded.named, other = m.other + excluded.other
            """, new
        {
            servers = tally.Minutes.Keys.Select(k => k.ServerId).ToArray(),
            ats = tally.Minutes.Keys.Select(k => k.At.UtcDateTime).ToArray(),
            queries = tally.Minutes.Values.Select(v => v.Queries).ToArray(),
            named = tally.Minutes.Values.Select(v => v.Named).ToArray(),
            other = tally.Minutes.Values.Select(v => v.Other).ToArray(),
        }, transaction);
    }

    private Task Counts(DnsTally tally) => tally.Counts.Count == 0 ? Task.CompletedTask : connection.ExecuteAsync("""
        insert into monitoring.count_minute as c (server_id, at, what, key, count)
        select * from unnest(@servers, @ats, @whats, @keys, @counts)
        on conflict (server_id, at, what, key) do update set count = c.count + excluded.count
        """, new
    {
        servers = tally.Counts.Keys.Select(k => k.ServerId).ToArray(),
        ats = tally.Counts.Keys.Select(k => k.At.UtcDateTime).ToArray(),
        whats = tally.Counts.Keys.Select(k => k.What).ToArray(),
        keys = tally.Counts.Keys.Select(k => k.Key).ToArray(),
        counts = tally.Counts.Values.ToArray(),
    }, transaction);

    private Task Subnets(DnsTally tally) => tally.Subnets.Count == 0 ? Task.CompletedTask : connection.ExecuteAsync("""
        insert into monitoring.dhcp_subnet (server_id, at, subnet, total, assigned, declined)
        select server_id, at, subnet::cidr, total, assigned, declined
        from unnest(@servers, @ats, @subnets, @totals, @assigned, @declined) as u(server_id, at, subnet, total, assigned, declined)
        on conflict (server_id, at, subnet) do update set total = excluded.total, assigned = excluded.assigned, declined = excluded.declined
        """, new
    {
        servers = tally.Subnets.Keys.Select(k => k.ServerId).ToArray(),
        ats = tally.Subnets.Keys.Select(k => k.At.UtcDateTime).ToArray(),
        subnets = tally.Subnets.Keys.Select(k => k.Subnet).ToArray(),
        totals = tally.Subnets.Values.Select(v => v.Use.Total).ToArray(),
        assigned = tally.Subnets.Values.Select(v => v.Use.Assigned).ToArray(),
        declined = tally.Subnets.Values.Select(v => v.Use.Declined).ToArray(),
    }, transaction);

    private static object Keys(IReadOnlyCollection<NameKey> names) => new
    {
        servers = names.Select(n => n.ServerId).ToArray(),
        zones = names.Select(n => n.Zone).ToArray(),
        names = names.Select(n => n.Name).ToArray(),
        types = names.Select(n => n.Type).ToArray(),
    };
}
