using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Reads schedules, each with the database's time.</summary>
internal sealed class ScheduleTable(NpgsqlDataSource database)
{
    public async Task<ScheduleRow?> Read(string name, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<ScheduleRow>($"select {ScheduleRow.Columns} from engine.schedule s where s.name = @name", new { name });
    }

    public async Task<IReadOnlyList<ScheduleRow>> All(CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenFresh(cancellationToken);
        return [.. await connection.QueryAsync<ScheduleRow>($"select {ScheduleRow.Columns} from engine.schedule s order by s.name")];
    }

    /// <summary>Those that should have been fired so long ago, and those whose pause is over.</summary>
    public async Task<IReadOnlyList<string>> Overdue(TimeSpan late)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<string>(
            "select name from engine.schedule where (paused_at is null and due_at <= now() - @late) or paused_until <= now() order by due_at", new { late })];
    }

    public static Task<ScheduleRow?> Lock(NpgsqlTransaction transaction, string name) =>
        transaction.Connection!.QuerySingleOrDefaultAsync<ScheduleRow>(
            $"select {ScheduleRow.Columns} from engine.schedule s where s.name = @name for update", new { name }, transaction);
}
