using Dapper;
using ManagedServers.Engine.Child;
using Npgsql;

namespace ManagedServers.Engine.Tests;

/// <summary>What must hold of a run's journal whatever happened to its nodes.</summary>
internal static class JournalCheck
{
    internal sealed record Row(int Seq, int Attempt, string State, string Node, string? Error);

    internal sealed record EffectRow(int Seq, int Attempt, bool WasInterrupted);

    public static async Task<IReadOnlyList<Row>> Attempts(NpgsqlDataSource database, Guid run)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<Row>("select seq, attempt, state, node, error from engine.step where run_id = @run order by seq, attempt", new { run })];
    }

    public static async Task<IReadOnlyList<EffectRow>> Effects(NpgsqlDataSource database, Guid run)
    {
        await using var connection = await database.OpenConnectionAsync();
        return [.. await connection.QueryAsync<EffectRow>(
            "select seq, attempt, was_interrupted as WasInterrupted from public.effect where run_id = @run order by seq, attempt", new { run })];
    }

    /// <summary>Nothing lost, nothing doubled: each step succeeded once, its attempts are numbered without a gap, and no effect is without its attempt.</summary>
    public static async Task Holds(NpgsqlDataSource database, Guid run, int steps, bool effects = true)
    {
        var attempts = await Attempts(database, run);
        for (var seq = 1; seq <= steps; seq++)
        {
            var mine = attempts.Where(a => a.Seq == seq).ToList();
            Assert.Equal(Enumerable.Range(1, mine.Count), mine.Select(a => a.Attempt));
            Assert.Single(mine, a => a.State == "succeeded");
            Assert.Equal("succeeded", mine[^1].State);
        }

        Assert.Equal(steps, attempts.Max(a => a.Seq));
        var seen = effects ? await Effects(database, run) : [];
        Assert.All(seen, e => Assert.Contains(attempts, a => a.Seq == e.Seq && a.Attempt == e.Attempt));
        foreach (var effect in seen.Where(e => e.Attempt > 1))
        {
            Assert.Equal(attempts.Any(a => a.Seq == effect.Seq && a.Attempt < effect.Attempt && a.State == "interrupted"), effect.WasInterrupted);
        }

        await using var connection = await database.OpenConnectionAsync();
        var log = (await connection.QueryAsync<long>("select seq from engine.log where run_id = @run order by seq", new { run })).ToList();
        Assert.Equal(Enumerable.Range(1, log.Count).Select(n => (long)n), log);
    }

    public static async Task MakeEffects(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.ExecuteAsync(EffectStep.Table);
    }
}
