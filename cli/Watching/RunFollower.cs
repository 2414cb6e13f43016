using System.Runtime.CompilerServices;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Watching;

/// <summary>
/// A run's events over as many connections as it takes. A run outlives the process that executes it, so whoever watches it
/// must outlive the connection: it is opened again after the last log line that was seen.
/// </summary>
/// <param name="runs">The product.</param>
/// <param name="id">The run.</param>
/// <param name="lastLine">The last log line that is known already.</param>
/// <param name="time">Clock for the pauses.</param>
/// <param name="lost">Called once each time the connection is lost, not for each try to get it back.</param>
internal sealed class RunFollower(RunsApi runs, Guid id, long lastLine, TimeProvider time, Action lost)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // A product that is away for longer is not restarting; a pipeline must not hang for ever.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    // One that answers, but with errors, is not away: it is broken.
    private static readonly TimeSpan PatienceWithErrors = TimeSpan.FromMinutes(1);

    // Longer than the product is silent while a run waits; a dead connection is noticed at the latest after this.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);

    /// <summary>The last log line that was given out.</summary>
    public long LastLine { get; private set; } = lastLine;

    /// <summary>Ends after the run ended; each log line comes once, each state at least once.</summary>
    public async IAsyncEnumerable<StreamedEvent> Follow([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var connected = true;
        var pause = FirstPause;
        var since = time.GetTimestamp();
        while (true)
        {
            await using var events = runs.Events(id, LastLine, Silence, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                var (item, failure) = await Next(events);
                if (item is null)
                {
                    if (!connected && failure is not null and not SilentStreamException && time.GetElapsedTime(since) > (failure is RefusedException ? PatienceWithErrors : Patience))
                    {
                        throw failure;
                    }

                    if (connected && failure is not SilentStreamException)
                    {
                        (connected, since) = (false, time.GetTimestamp());
                        lost();
                    }

                    break;
                }

                (connected, pause) = (true, FirstPause);
                if (item is not LogWritten written || Fresh(written.Line))
                {
                    yield return item;
                }

                if (item is RunEnded)
                {
                    yield break;
                }
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private bool Fresh(LogLine line)
    {
        if (line.Seq <= LastLine)
        {
            return false;
        }

        LastLine = line.Seq;
        return true;
    }

    /// <summary>The next event; nothing and why when the connection is over; throws what will not get better.</summary>
    private static async Task<(StreamedEvent? Item, ProductException? Failure)> Next(IAsyncEnumerator<StreamedEvent> events)
    {
        try
        {
            return await events.MoveNextAsync() ? (events.Current, null) : (null, null);
        }
        catch (ProductException e) when (e is UnreachableException { Untrusted: false } or SilentStreamException or RefusedException { Status: >= 500 })
        {
            return (null, e);
        }
    }
}
