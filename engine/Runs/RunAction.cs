using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>The run that an operator acts on, its row locked.</summary>
internal sealed record ActionTarget
{
    public required Guid Id { get; init; }
    public required string Kind { get; init; }
    public required string State { get; init; }
    public required short Direction { get; init; }
    public required int Cursor { get; init; }
    public required string Queue { get; init; }
    public string? JobId { get; init; }
    public string? ExclusiveKey { get; init; }
    public required string Input { get; init; }
    public required string Plan { get; init; }
    public string? CancelMode { get; init; }
    public required long Fence { get; init; }
    public required bool Begun { get; init; }

    /// <summary>It holds its key, and a step of it that did not let go may still be at work.</summary>
    public required bool LeftBehind { get; init; }

    /// <summary>The parent, where it was cancelled.</summary>
    public Guid? CancelledParent { get; init; }

    public bool HasEnded => RunRow.HasEnded(State);
}

/// <summary>One action under way: its statements, its line in the audit, and who is to be woken after the commit.</summary>
internal sealed class RunAction(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, string who, string? why)
{
    private readonly List<QueuedRun> woken = [];
    private string what = "";
    private string? detail;
    private string? signal;
    private readonly List<(string What, string Why)> notes = [];

    public void What(string word, string? more) => (what, detail) = (word, more);

    public IReadOnlyList<QueuedRun> Woken => woken;

    /// <summary>Of a run that had a job already: it is of no use any more.</summary>
    public string? ReplacedJob { get; private set; }

    public void Wake(QueuedRun run) => woken.Add(run);

    public void Wake(ActionTarget run)
    {
        ReplacedJob = run.JobId;
        Wake(new QueuedRun(run.Id, run.Queue));
    }

    /// <summary>A further line for the audit.</summary>
    public void Note(string word, string more) => notes.Add((word, more));

    public void SignalCancel(string payload) => signal = payload;

    public Task Execute(string sql, object? more = null) => connection.ExecuteAsync(sql, With(more), transaction);

    public Task<IEnumerable<T>> Query<T>(string sql, object? more = null) => connection.QueryAsync<T>(sql, With(more), transaction);

    public Task<IEnumerable<AttemptRow>> Attempts() => AttemptRow.Read(connection, id);

    /// <summary>An action that found everything done already leaves no line.</summary>
    public async Task Audit()
    {
        if (what.Length == 0)
        {
            return;
        }

        notes.Add((what, string.Join(' ', new[] { why, detail }.Where(s => s is not null))));
        await Execute("insert into engine.event (run_id, who, what, why) select @Id, @Who, w, nullif(y, '') from unnest(@words, @whys) n (w, y)",
            new { words = notes.ConvertAll(n => n.What).ToArray(), whys = notes.ConvertAll(n => n.Why).ToArray() });
    }

    /// <summary>What it has come to, before it is taken back.</summary>
    public async Task<RehearsedAction> Rehearsed(ActionTarget run)
    {
        var (state, step, direction) = await connection.QuerySingleAsync<(string, int, short)>("select state, cursor, direction from engine.run where id = @id", new { id }, transaction);
        return new RehearsedAction(id, what, detail, StateOf(run.State), StateOf(state), Math.Max(1, step), direction < 0);

        static RunState StateOf(string word) => Enum.Parse<RunState>(word, ignoreCase: true);
    }

    /// <summary>After the commit: pg_notify within it would serialise commits.</summary>
    public Task Signal() => signal is null
        ? Task.CompletedTask
        : connection.ExecuteAsync("select pg_notify(@CancelChannel, @signal)", new { Notifier.CancelChannel, signal });

    /// <summary>A wait that is under way is over.</summary>
    public Task EndWait() => Execute("update engine.step set state = 'cancelled', finished_at = now(), next_try_at = null, error = @Sentence where run_id = @Id and state = 'waiting'");

    private DynamicParameters With(object? more)
    {
        var all = new DynamicParameters(new { Id = id, Who = who, Why = why, Sentence = $"Cancelled by {who}" + (why is null ? "." : $": {why.TrimEnd('.')}.") });
        all.AddDynamicParams(more);
        return all;
    }
}
