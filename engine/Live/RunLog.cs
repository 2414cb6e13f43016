using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>
/// The log lines and the progress of one run on their way to the database. Writing never waits: lines are numbered and kept here,
/// and sent in batches; what comes faster than can be sent is left out, and the log says so.
/// </summary>
internal sealed class RunLog(ClaimedRun run, NpgsqlDataSource database, Text text, TimeProvider time, Action wake) : IDisposable
{
    /// <summary>Lines that wake the writer before its time.</summary>
    public const int BatchLines = 200;

    private const int BatchLimit = 1_000;
    private const int Buffer = 5_000;
    private const int LinesPerRun = 100_000;
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim sending = new(1, 1);
    private List<LogLine> pending = [];
    private readonly Guid runId = run.Id;
    private readonly long fence = run.Fence;

    // Lines are kept by the database's clock: the node's may be days off, and the logs of a day are dropped together.
    private readonly long openedAt = time.GetTimestamp();
    private long seq = run.LogSeq;
    private int leftOut;
    private bool full;
    private (int Seq, double Fraction, string? Note)? progress;
    private long progressSentAt;

    public bool HasPending
    {
        get { lock (gate) { return pending.Count > 0 || leftOut > 0 || progress is not null; } }
    }

    public void Write(int stepSeq, LogLevel level, string message)
    {
        var line = text.Line(message);
        lock (gate)
        {
            if (full)
            {
                return;
            }

            if (pending.Count >= Buffer)
            {
                leftOut++;
                return;
            }

            NoteLeftOut(stepSeq);
            Add(stepSeq, level, line);
            if (seq >= LinesPerRun)
            {
                full = true;
                Add(stepSeq, LogLevel.Warning, $"A run keeps {LinesPerRun:N0} lines of log. What is said from here on is left out.");
            }
        }

        if (pending.Count >= BatchLines)
        {
            wake();
        }
    }

    public void Progress(int stepSeq, double fraction, string? note)
    {
        var words = note is null ? null : text.Summary(note);
        lock (gate)
        {
            progress = (stepSeq, fraction, words);
        }
    }

    /// <summary>Sends what is pending. Throws when the database is away; the lines stay pending then.</summary>
    public async Task<bool> Flush()
    {
        await sending.WaitAsync();
        try
        {
            var sent = false;
            while (await SendLines())
            {
                sent = true;
            }

            return await SendProgress() || sent;
        }
        finally
        {
            sending.Release();
        }
    }

    public void Dispose() => sending.Dispose();

    private void NoteLeftOut(int stepSeq)
    {
        if (leftOut > 0)
        {
            Add(stepSeq, LogLevel.Warning, $"{leftOut:N0} lines were left out here: they came faster than they could be kept.");
            leftOut = 0;
        }
    }

    private void Add(int stepSeq, LogLevel level, string line) => pending.Add(new LogLine(++seq, run.ClaimedAt + time.GetElapsedTime(openedAt), stepSeq, level, line));

    private async Task<bool> SendLines()
    {
        List<LogLine> batch;
        lock (gate)
        {
            if (pending.Count == 0)
            {
                NoteLeftOut(0);
            }

            batch = pending[..Math.Min(pending.Count, BatchLimit)];
        }

        if (batch.Count == 0)
        {
            return false;
        }

        await using var connection = await database.OpenConnectionAsync();
        // The run's own row is written too: it carries the highest number, so the next owner goes on without a gap, and a former one writes nothing.
        // When the answer to a batch was lost, the next one begins with the same lines and has more of them: what the row says is stored already is left out,
        // as it is read under the row's lock, which a first sending that is still being committed holds.
        await connection.ExecuteAsync("""
            with owned as (
                select id, log_seq from engine.run where id = @runId and fence = @fence and state = 'running' and log_seq < @last for no key update),
            moved as (
                update engine.run r set log_seq = @last from owned o where r.id = o.id returning r.id, o.log_seq)
            insert into engine.log (run_id, seq, at, step_seq, level, message)
            select m.id, l.* from moved m, unnest(@seqs, @ats, @steps, @levels, @messages) l (seq, at, step_seq, level, message) where l.seq > m.log_seq
            """, new
        {
            runId,
            fence,
            last = batch[^1].Seq,
            seqs = batch.ConvertAll(l => l.Seq).ToArray(),
            ats = batch.ConvertAll(l => l.At.UtcDateTime).ToArray(),
            steps = batch.ConvertAll(l => l.StepSeq).ToArray(),
            levels = batch.ConvertAll(l => (short)l.Level).ToArray(),
            messages = batch.ConvertAll(l => l.Message).ToArray(),
        });
        lock (gate)
        {
            pending = pending[batch.Count..];
        }

        return true;
    }

    private async Task<bool> SendProgress()
    {
        (int Seq, double Fraction, string? Note) now;
        lock (gate)
        {
            if (progress is not { } p || (progressSentAt != 0 && time.GetElapsedTime(progressSentAt) < ProgressInterval))
            {
                return false;
            }

            (now, progress, progressSentAt) = (p, null, time.GetTimestamp());
        }

        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            insert into engine.progress (run_id, seq, fence, fraction, note)
            select id, @Seq, fence, @Fraction, @Note from engine.run where id = @runId and fence = @fence and state = 'running'
            on conflict (run_id) do update set seq = excluded.seq, fence = excluded.fence, fraction = excluded.fraction, note = excluded.note
            where progress.fence <= excluded.fence
            """, new { runId, fence, now.Seq, now.Fraction, now.Note });
        return true;
    }
}
