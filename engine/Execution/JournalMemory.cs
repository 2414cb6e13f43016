using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>The latest attempt of a step in one direction, and how many there were.</summary>
internal sealed record LatestAttempt(int Attempt, int Try, string State, long Fence, JsonElement? Input, JsonElement? Output, bool? Changed, bool HasNextTry);

/// <summary>A run's journal as its owner remembers it: read once at the claim, then kept in step with what is written.</summary>
internal sealed class JournalMemory
{
    private readonly Dictionary<(int Seq, int Direction), LatestAttempt> latest = [];

    // A step that an operator skipped after failed attempts may still have changed something.
    private readonly Dictionary<int, LatestAttempt> latestReal = [];

    private readonly HashSet<(int Seq, int Direction)> interrupted = [];

    private readonly Dictionary<int, int> lastSucceeded = [];

    private readonly Dictionary<int, int> successes = [];

    // How many steps before this one are done, and how many of those changed something: kept, because it is asked at every boundary.
    private int countedTo = 1;
    private int done;
    private int changed;

    public JournalMemory(IEnumerable<AttemptRow> rows)
    {
        foreach (var row in rows)
        {
            Remember(row.Seq, row.Direction, new LatestAttempt(
                row.Attempt, row.Try, row.State, row.Fence, row.InputJson, row.OutputJson, row.Changed, row.NextTryAt is not null));
        }
    }

    /// <summary>The highest step of which anything is journalled.</summary>
    public int StepsBegun => latest.Keys.Select(k => k.Seq).DefaultIfEmpty().Max();

    public LatestAttempt? Latest(int seq, int direction) => latest.GetValueOrDefault((seq, direction));

    /// <summary>The latest attempt in which the step's own code ran.</summary>
    public LatestAttempt? LatestReal(int seq) => latestReal.GetValueOrDefault(seq);

    /// <summary>An attempt since the last success ended without an answer: what it did may be there, also when later attempts failed.</summary>
    public bool WasInterrupted(int seq, int direction) => interrupted.Contains((seq, direction));

    /// <summary>The latest attempt of the step that succeeded; 0 when none did.</summary>
    public int LastSucceeded(int seq) => lastSucceeded.GetValueOrDefault(seq);

    /// <summary>How many attempts of the step have succeeded.</summary>
    public int Successes(int seq) => successes.GetValueOrDefault(seq);

    public JsonElement? Output(int seq) => Latest(seq, 1) is { State: "succeeded" } done ? done.Output : null;

    public void Remember(int seq, int direction, LatestAttempt attempt)
    {
        var counted = direction > 0 && seq < countedTo;
        Count(counted ? seq : 0, -1);
        latest[(seq, direction)] = attempt;
        Count(counted ? seq : 0, 1);
        if (attempt.State == "interrupted")
        {
            interrupted.Add((seq, direction));
        }
        else if (attempt.State == "succeeded")
        {
            interrupted.Remove((seq, direction));
        }

        if (direction > 0 && attempt.State == "succeeded")
        {
            lastSucceeded[seq] = attempt.Attempt;
            successes[seq] = Successes(seq) + 1;
        }

        if (direction > 0 && attempt.State != "skipped")
        {
            latestReal[seq] = attempt;
        }
    }

    public Position Position(ClaimedRun run) => Position(run.Direction, run.Cursor, run.Failure);

    /// <summary>Where the run stands, with the counts that lists show.</summary>
    public Position Position(int direction, int cursor, string? failure)
    {
        if (direction < 0)
        {
            return PositionOfUndo(cursor, failure);
        }

        for (; countedTo < cursor; countedTo++)
        {
            Count(countedTo, 1);
        }

        for (; countedTo > cursor; countedTo--)
        {
            Count(countedTo - 1, -1);
        }

        return new Position { Direction = 1, Cursor = cursor, Failure = failure, Done = done, Changed = changed };
    }

    private Position PositionOfUndo(int cursor, string? failure)
    {
        var left = latest.Where(l => l.Key.Direction > 0 && l.Key.Seq <= cursor && l.Value.State is "succeeded" or "skipped" && !IsUndone(l.Key.Seq)).ToList();
        return new Position { Direction = -1, Cursor = cursor, Failure = failure, Done = left.Count, Changed = left.Count(l => l.Value.Changed == true) };
    }

    private void Count(int seq, int sign)
    {
        if (Latest(seq, 1) is { State: "succeeded" or "skipped" } step)
        {
            done += sign;
            changed += step.Changed == true ? sign : 0;
        }
    }

    public bool IsUndone(int seq) =>
        Latest(seq, -1) is { State: "succeeded" or "skipped" } undo && LatestReal(seq) is { } made && undo.Fence >= made.Fence;

    /// <summary>The step may have changed something that no undo has taken back: it has none, it could not, or an operator skipped it. What said nothing may only have looked.</summary>
    public bool LeftChanged(int seq) => LatestReal(seq) is { Changed: true } && !(Latest(seq, -1) is { State: "succeeded" } && IsUndone(seq));

    /// <summary>Every step that said anything said that nothing had to be changed.</summary>
    public bool NothingChanged()
    {
        var said = latest.Where(l => l.Key.Direction > 0 && l.Value is { State: "succeeded", Changed: not null }).ToList();
        return said.Count > 0 && said.All(l => l.Value.Changed == false);
    }

    /// <summary>No step can have changed anything: none began, or each said so.</summary>
    public bool NothingTouched() => latestReal.Values.All(a => a is { State: "succeeded", Changed: false, Attempt: 1 });

    public IEnumerable<int> PassedOver() => latest.Where(l => l.Key.Direction > 0 && l.Value.State == "failed").Select(l => l.Key.Seq).Order();
}
