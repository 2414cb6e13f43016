using System.Runtime.CompilerServices;

namespace ManagedServers.Dashboard.Live;

/// <summary>Hints by the clock, for what nobody announces: measurements come in all the time.</summary>
internal static class Ticks
{
    public static async IAsyncEnumerable<Guid> Every(TimeSpan interval, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return Guid.Empty;
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            yield return Guid.Empty;
        }
    }
}
