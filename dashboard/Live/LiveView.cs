using System.Data.Common;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Dashboard.Live;

/// <summary>
/// A component that reads again whenever it is told that something may have changed. When the database does not answer it keeps what it shows,
/// says so in <see cref="Trouble"/>, and goes on by itself.
/// </summary>
public abstract class LiveView : ComponentBase, IDisposable
{
    private static readonly TimeSpan AfterTrouble = TimeSpan.FromSeconds(3);
    private CancellationTokenSource? ending;
    private CancellationToken gone;

    [Inject] protected TimeProvider Time { get; set; } = null!;
    [Inject] private IHostApplicationLifetime Lifetime { get; set; } = null!;
    [Inject] private ILoggerFactory Loggers { get; set; } = null!;

    /// <summary>Why what is shown may be old; null when it is not.</summary>
    protected string? Trouble { get; private set; }

    /// <summary>Ends with the component, and when the product stops: circuits outlive its services by a moment.</summary>
    protected CancellationToken Gone
    {
        get
        {
            if (ending is null)
            {
                ending = CancellationTokenSource.CreateLinkedTokenSource(Lifetime.ApplicationStopping);
                gone = ending.Token;
            }

            return gone;
        }
    }

    /// <summary>Reads at each hint, at most once per <paramref name="pause"/>: changes come in bursts, eyes do not.</summary>
    /// <param name="hints">Yields at once and then when something may have changed.</param>
    /// <param name="read">Reads what is shown; gives false when there will be nothing more to read.</param>
    protected async Task Follow(Func<CancellationToken, IAsyncEnumerable<Guid>> hints, Func<Task<bool>> read, TimeSpan pause)
    {
        // Anything awaited here returns to the circuit's own context, so fields need no lock.
        while (!Gone.IsCancellationRequested)
        {
            try
            {
                await foreach (var _ in hints(Gone))
                {
                    var more = await read();
                    Trouble = null;
                    StateHasChanged();
                    if (!more)
                    {
                        return;
                    }

                    await Task.Delay(pause, Time, Gone);
                }
            }
            catch (OperationCanceledException) when (Gone.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or TimeoutException or IOException or OperationCanceledException)
            {
                Loggers.CreateLogger(GetType()).LogWarning(e, "The dashboard could not read; it tries again");
                Trouble = "The product cannot read its database right now. What you see may be old; it is read again as soon as that works.";
                StateHasChanged();
                await Rest();
            }
        }
    }

    /// <summary>Starts following; a failure that cannot pass breaks the page, which says so.</summary>
    protected void FollowInBackground(Func<CancellationToken, IAsyncEnumerable<Guid>> hints, Func<Task<bool>> read, TimeSpan pause) => _ = Guarded(hints, read, pause);

    public void Dispose()
    {
        ending?.Cancel();
        ending?.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task Guarded(Func<CancellationToken, IAsyncEnumerable<Guid>> hints, Func<Task<bool>> read, TimeSpan pause)
    {
        try
        {
            await Follow(hints, read, pause);
        }
        catch (Exception) when (Gone.IsCancellationRequested)
        {
            // The reader has left; nobody is there to be told.
        }
        catch (Exception e)
        {
            await DispatchExceptionAsync(e);
        }
    }

    private async Task Rest()
    {
        try
        {
            await Task.Delay(AfterTrouble, Time, Gone);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }
}
