using System.Data;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>Reads beats wherever they stand, as rows or packed, at one moment: while they are packed none is missed or read twice.</summary>
internal sealed class StoredBeats : IAsyncDisposable
{
    // Six days of beats that came late; of a flood the newest.
    private const int MostRows = 20_000;
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction moment;

    private StoredBeats(NpgsqlConnection connection, NpgsqlTransaction moment) => (this.connection, this.moment) = (connection, moment);

    private sealed record Block(DateTime At, byte[] Data);

    public static async Task<StoredBeats> At(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        return new StoredBeats(connection, await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken));
    }

    /// <summary>The newest ones first.</summary>
    /// <param name="before">Of the last one that was shown.</param>
    public async Task<IReadOnlyList<StoredHeartbeat>> Newest(Guid serverId, int count, (DateTime At, long Seq)? before, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryAsync<WideRow>(new CommandDefinition($"""
            select {WideRow.Columns} from monitoring.heartbeat
            where server_id = @serverId and (@at::timestamptz is null or (at, seq) < (@at, @seq))
            order by at desc, seq desc
            limit @count
            """, new { serverId, at = before?.At, seq = before?.Seq ?? 0, count }, moment, cancellationToken: cancellationToken));
        var found = rows.Select(r => r.Beat()).ToList();
        await AddPacked(found, serverId, count, before, cancellationToken);
        return [.. found.OrderByDescending(b => (b.SentAt, b.Seq)).Take(count)];
    }

    /// <summary>Those of whole hours that have not been packed, or not all of them: with those of the same hours that have. In the order of their times.</summary>
    public async Task<IReadOnlyDictionary<DateTime, IReadOnlyList<StoredHeartbeat>>> Unpacked(Guid serverId, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryAsync<WideRow>(new CommandDefinition(
            $"select {WideRow.Columns} from monitoring.heartbeat where server_id = @serverId and at >= @from and at < @to order by at desc limit @MostRows",
            new { serverId, from, to, MostRows }, moment, cancellationToken: cancellationToken));
        var hours = rows.GroupBy(r => Level.Minute.Block(r.At)).ToDictionary(g => g.Key, g => g.Select(r => r.Beat()));
        var packed = await connection.QueryAsync<Block>(new CommandDefinition(
            "select at as \"At\", data as \"Data\" from monitoring.heartbeat_hour where server_id = @serverId and at = any(@hours)",
            new { serverId, hours = hours.Keys.ToArray() }, moment, cancellationToken: cancellationToken));
        var others = packed.ToDictionary(p => p.At, p => PackedBeats.Unpack(p.Data));
        return hours.ToDictionary(h => h.Key, h => InOrder(h.Value.Concat(others.GetValueOrDefault(h.Key, []))));
    }

    /// <summary>Those of whole hours that have been packed, in the order of their times.</summary>
    public IAsyncEnumerable<(DateTime At, IReadOnlyList<StoredHeartbeat> Block)> Packed(Guid serverId, DateTime from, DateTime to) =>
        Read("heartbeat_hour", serverId, from, to).Select(b => (b.At, PackedBeats.Unpack(b.Data)));

    /// <summary>The stored blocks of a level in the order of their times, with some of their metrics.</summary>
    public IAsyncEnumerable<(DateTime At, Rollups Block)> Blocks(Level level, Guid serverId, DateTime from, DateTime to, Func<SeriesKey, bool> wanted) =>
        Read(level.Table, serverId, from, to).Select(b => (b.At, Rollups.Unpack(level, b.Data, wanted)));

    private IAsyncEnumerable<Block> Read(string table, Guid serverId, DateTime from, DateTime to) => connection.QueryUnbufferedAsync<Block>(
        $"select at as \"At\", data as \"Data\" from monitoring.{table} where server_id = @serverId and at >= @from and at < @to order by at", new { serverId, from, to }, moment);

    public async ValueTask DisposeAsync()
    {
        await moment.DisposeAsync();
        await connection.DisposeAsync();
    }

    public static IReadOnlyList<StoredHeartbeat> InOrder(IEnumerable<StoredHeartbeat> beats) => [.. beats.OrderBy(b => (b.SentAt, b.Seq))];

    private async Task AddPacked(List<StoredHeartbeat> found, Guid serverId, int count, (DateTime At, long Seq)? before, CancellationToken cancellationToken)
    {
        // Of a server that beats without a pause one is enough.
        const int atOnce = 10;
        var (end, missing) = (default(DateTime?), count);
        while (missing > 0)
        {
            var hours = (await connection.QueryAsync<Block>(new CommandDefinition("""
                select at as "At", data as "Data" from monitoring.heartbeat_hour
                where server_id = @serverId and (@start::timestamptz is null or at <= @start) and (@end::timestamptz is null or at < @end)
                order by at desc limit @atOnce
                """, new { serverId, start = before?.At, end, atOnce }, moment, cancellationToken: cancellationToken))).AsList();
            var beats = hours.SelectMany(h => PackedBeats.Unpack(h.Data)).Where(b => before is not { } last || (b.SentAt.UtcDateTime, b.Seq).CompareTo(last) < 0).ToList();
            found.AddRange(beats);
            (end, missing) = (hours.LastOrDefault()?.At, hours.Count < atOnce ? 0 : missing - beats.Count);
        }
    }
}
