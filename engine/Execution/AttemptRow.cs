using System.Text.Json;
using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>One row of the journal.</summary>
internal sealed record AttemptRow
{
    public required int Seq { get; init; }
    public required short Direction { get; init; }
    public required int Attempt { get; init; }
    public required int Try { get; init; }
    public required string State { get; init; }
    public required long Fence { get; init; }
    public required string Node { get; init; }
    public string? Input { get; init; }
    public string? Output { get; init; }
    public bool? Changed { get; init; }
    public string? Summary { get; init; }
    public string? Error { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public DateTimeOffset? NextTryAt { get; init; }

    public JsonElement? OutputJson => Output is null ? null : JsonSerializer.Deserialize<JsonElement>(Output);

    public JsonElement? InputJson => Input is null ? null : JsonSerializer.Deserialize<JsonElement>(Input);

    public static Task<IEnumerable<AttemptRow>> Read(NpgsqlConnection connection, Guid runId) => connection.QueryAsync<AttemptRow>("""
        select seq, direction, attempt, try, state, fence, node, input, output, changed, summary, error,
               started_at as StartedAt, finished_at as FinishedAt, next_try_at as NextTryAt
        from engine.step where run_id = @runId order by seq, direction, attempt
        """, new { runId });
}
