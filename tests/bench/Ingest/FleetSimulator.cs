using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace ManagedServers.Bench.Ingest;

/// <summary>What became of one flow of heartbeats.</summary>
/// <param name="Seconds">From the first one due until the last was accepted.</param>
/// <param name="P95">Milliseconds from when a beat was due until the product said that it is committed.</param>
/// <param name="Refused">Times that the product asked to come again later.</param>
internal sealed record Flow(long Beats, double Seconds, double P50, double P95, double Worst, long Refused)
{
    public double Rate => Beats / Seconds;

    public override string ToString() =>
        $"{Beats:N0} heartbeats in {Seconds:0.0} s, {Rate:N0}/s; accepted after {P50:0} ms (p50), {P95:0} ms (p95), {Worst:0} ms at most; asked to come later {Refused:N0} times";
}

/// <summary>Many agents at once, over connections that are kept.</summary>
internal sealed class FleetSimulator(SimulatedFleet fleet, IPEndPoint address, X509Certificate2 authority, int connections) : IAsyncDisposable
{
    // A product that is away for longer is not coming back.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly List<KeptConnection> kept = [];

    public async Task Connect()
    {
        while (kept.Count < connections)
        {
            kept.Add(new KeptConnection(address, authority));
            await kept[^1].Open(CancellationToken.None);
        }
    }

    /// <summary>One beat after another of each of the first <paramref name="servers"/> in turn.</summary>
    /// <param name="rate">Beats a second that are due, whether the product keeps up or not; null: as many as it takes.</param>
    public async Task<Flow> Send(int servers, long beats, double? rate = null)
    {
        using var limit = new CancellationTokenSource(Patience + TimeSpan.FromSeconds(rate is { } r ? beats / r : 0));
        var (next, refused) = (-1L, 0L);
        var took = new float[beats];
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(kept.Select(connection => Task.Run(() => Work(connection))));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Array.Sort(took);
        return new Flow(beats, seconds, took[beats / 2], took[beats * 95 / 100], took[^1], refused);

        async Task Work(KeptConnection connection)
        {
            var buffer = new byte[SimulatedFleet.LargestRequest];
            for (var beat = Interlocked.Increment(ref next); beat < beats; beat = Interlocked.Increment(ref next))
            {
                var due = rate is { } wanted ? start + (long)(beat / wanted * Stopwatch.Frequency) : Stopwatch.GetTimestamp();
                if (due - Stopwatch.GetTimestamp() is > 0 and var early)
                {
                    await Task.Delay(TimeSpan.FromSeconds((double)early / Stopwatch.Frequency), limit.Token);
                }

                var server = (int)(beat % servers);
                var number = fleet.Next(server);
                await Deliver(connection, fleet.Request(buffer, server, number, TimeProvider.System.GetUtcNow()), limit.Token);
                fleet.Kept(server, number);
                took[beat] = (float)Bench.Ms(due);
            }
        }

        async Task Deliver(KeptConnection connection, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    var (status, said) = await connection.Exchange(request, cancellationToken);
                    switch (status)
                    {
                        case 202: return;
                        case 503: break;
                        default: throw new InvalidOperationException($"The product answered {status} to a heartbeat: {System.Text.Encoding.UTF8.GetString(said.Span)}");
                    }
                }
                catch (Exception gone) when (gone is IOException or SocketException)
                {
                    await connection.Close();
                    await connection.Open(cancellationToken);
                }

                Interlocked.Increment(ref refused);
                await Task.Delay(1000, cancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in kept)
        {
            await connection.DisposeAsync();
        }
    }
}
