using ManagedServers.Engine;

namespace ManagedServers.Dashboard.Runs;

/// <summary>The end of a run's log, read by cursor and bounded: a log of a million lines costs a viewer no more than one of a thousand.</summary>
public sealed class LogTail(IRuns runs, Guid run, int? step = null, int kept = LogTail.Kept)
{
    public const int Kept = 1000;
    private const int AtOnce = 1000;
    private readonly List<LogLine> lines = [];
    private long cursor;
    private bool started;

    public IReadOnlyList<LogLine> Lines => lines;

    /// <summary>Changes when the lines do.</summary>
    public long Version { get; private set; }

    /// <summary>Lines before these are not shown.</summary>
    public bool Cut { get; private set; }

    /// <summary>Reads on to the present end. True when there was something new.</summary>
    public async Task<bool> Read(CancellationToken cancellationToken)
    {
        if (!started)
        {
            await SkipToTheEnd(cancellationToken);
            started = true;
        }

        var news = false;
        IReadOnlyList<LogLine> read;
        do
        {
            read = await runs.Log(run, cursor, AtOnce, cancellationToken);
            news |= Keep(read);
        }
        while (read.Count == AtOnce);
        return news;
    }

    private bool Keep(IReadOnlyList<LogLine> read)
    {
        if (read.Count == 0)
        {
            return false;
        }

        cursor = read[^1].Seq;
        var before = lines.Count;
        lines.AddRange(read.Where(l => step is null || l.StepSeq == step));
        var news = lines.Count > before;
        if (lines.Count > kept)
        {
            lines.RemoveRange(0, lines.Count - kept);
            Cut = true;
        }

        Version += news ? 1 : 0;
        return news;
    }

    // Numbers are gapless from 1, so the last one is found by doubling and halving. One step's lines may lie anywhere: they are read through.
    private async Task SkipToTheEnd(CancellationToken cancellationToken)
    {
        if (step is not null || !await Beyond(kept, cancellationToken))
        {
            return;
        }

        long low = kept, high = kept * 2L;
        while (await Beyond(high, cancellationToken))
        {
            (low, high) = (high, high * 2);
        }

        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = await Beyond(middle, cancellationToken) ? (middle, high) : (low, middle);
        }

        cursor = high - kept;
        Cut = cursor > 0;
    }

    private async Task<bool> Beyond(long seq, CancellationToken cancellationToken) => (await runs.Log(run, seq, 1, cancellationToken)).Count > 0;
}
