namespace ManagedServers.Workflows.Monitoring;

/// <summary>What an agent may say of processors, memory, connections and interfaces.</summary>
internal static class SystemRules
{
    private const int MostInterfaces = 64;

    public static void Check(Heartbeat beat, string path, Refusals refusals)
    {
        foreach (var (mode, share) in CpuUse.Modes.Zip(beat.Cpu?.Shares ?? []))
        {
            refusals.Number(share, 1, $"{path}.cpu.{mode}");
        }

        refusals.Amount(beat.Memory?.TotalBytes, $"{path}.memory.totalBytes");
        refusals.Amount(beat.Memory?.AvailableBytes, $"{path}.memory.availableBytes");
        refusals.Amount(beat.Memory?.FreeBytes, $"{path}.memory.freeBytes");
        refusals.Amount(beat.Memory?.BuffersBytes, $"{path}.memory.buffersBytes");
        refusals.Amount(beat.Memory?.CachedBytes, $"{path}.memory.cachedBytes");
        refusals.Amount(beat.Memory?.CommittedBytes, $"{path}.memory.committedBytes");
        refusals.Amount(beat.Swap?.TotalBytes, $"{path}.swap.totalBytes");
        refusals.Amount(beat.Swap?.UsedBytes, $"{path}.swap.usedBytes");
        refusals.Amount(beat.Connections?.TcpEstablished, $"{path}.connections.tcpEstablished");
        refusals.Amount(beat.Connections?.Udp, $"{path}.connections.udp");
        foreach (var (state, count) in TcpStates.Names.Zip(beat.Connections?.Tcp?.Counts ?? []))
        {
            refusals.Amount(count, $"{path}.connections.tcp.{state}");
        }

        refusals.Amount(beat.Processes, $"{path}.processes");
        Network(beat.Network, $"{path}.network", refusals);
    }

    private static void Network(IReadOnlyList<NetworkUse?>? network, string path, Refusals refusals)
    {
        refusals.Require(network is null or { Count: <= MostInterfaces }, path, $"At most {MostInterfaces} interfaces.");
        foreach (var (use, i) in (network ?? []).Take(MostInterfaces).Select((use, i) => (use, i)))
        {
            refusals.Require(use is not null, $"{path}[{i}]", "An interface is an object.");
            // The kernel allows 15 bytes.
            refusals.Require(use is null || use.Interface is { Length: >= 1 and <= 15 } name && name.All(c => c is > ' ' and <= '~'),
                $"{path}[{i}].interface", "1 to 15 printable ASCII characters without spaces.");
            refusals.Amount(use?.ReceivedBytes, $"{path}[{i}].receivedBytes");
            refusals.Amount(use?.SentBytes, $"{path}[{i}].sentBytes");
        }
    }
}
