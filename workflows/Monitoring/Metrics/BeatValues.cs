namespace ManagedServers.Workflows.Monitoring;

/// <summary>A beat as values of the catalogue's metrics, and back.</summary>
internal static class BeatValues
{
    public static IEnumerable<(SeriesKey Key, long Value)> Of(StoredHeartbeat beat)
    {
        var found = new List<(SeriesKey, long)>(64);
        Put(MetricCatalogue.Uptime, beat.UptimeSeconds);
        PutAll(MetricCatalogue.Load, beat.Load);
        PutAll(MetricCatalogue.Cpu, beat.Cpu?.Shares);
        Add(MetricCatalogue.MemoryTotal, beat.Memory?.TotalBytes);
        Add(MetricCatalogue.MemoryAvailable, beat.Memory?.AvailableBytes);
        Add(MetricCatalogue.MemoryFree, beat.Memory?.FreeBytes);
        Add(MetricCatalogue.MemoryBuffers, beat.Memory?.BuffersBytes);
        Add(MetricCatalogue.MemoryCached, beat.Memory?.CachedBytes);
        Add(MetricCatalogue.MemoryCommitted, beat.Memory?.CommittedBytes);
        Add(MetricCatalogue.SwapTotal, beat.Swap?.TotalBytes);
        Add(MetricCatalogue.SwapUsed, beat.Swap?.UsedBytes);
        Add(MetricCatalogue.Tcp, beat.Connections?.TcpEstablished);
        Add(MetricCatalogue.Udp, beat.Connections?.Udp);
        var states = beat.Connections?.Tcp?.Counts ?? [];
        for (var i = 0; i < states.Length; i++)
        {
            Add(MetricCatalogue.TcpState[i], states[i]);
        }

        Add(MetricCatalogue.Processes, beat.Processes);
        foreach (var disk in beat.Disks ?? [])
        {
            Add(MetricCatalogue.DiskTotal, disk.TotalBytes, disk.Mount);
            Add(MetricCatalogue.DiskUsed, disk.UsedBytes, disk.Mount);
            Add(MetricCatalogue.InodesTotal, disk.InodesTotal, disk.Mount);
            Add(MetricCatalogue.InodesUsed, disk.InodesUsed, disk.Mount);
        }

        foreach (var use in beat.Network ?? [])
        {
            Add(MetricCatalogue.NetworkReceived, use.ReceivedBytes, use.Interface);
            Add(MetricCatalogue.NetworkSent, use.SentBytes, use.Interface);
        }

        return found;

        void PutAll(Metric[] metrics, IReadOnlyList<double>? values)
        {
            for (var i = 0; i < (values?.Count ?? 0); i++)
            {
                Put(metrics[i], values![i]);
            }
        }

        void Put(Metric metric, double? value) => Add(metric, value is { } number ? metric.Scale(number) : null);

        void Add(Metric metric, long? value, string? label = null)
        {
            if (value is { } number)
            {
                found.Add((new SeriesKey(metric.Number, label), number));
            }
        }
    }

    /// <summary>The same beat, with everything in it that <see cref="Of"/> has told.</summary>
    /// <param name="beat">With what is no metric.</param>
    /// <param name="values">Of this beat, in the order in which they were told.</param>
    public static StoredHeartbeat Put(StoredHeartbeat beat, IReadOnlyDictionary<SeriesKey, long> values)
    {
        return beat with
        {
            UptimeSeconds = Number(MetricCatalogue.Uptime),
            Load = Numbers(MetricCatalogue.Load),
            Cpu = Numbers(MetricCatalogue.Cpu) is { } shares ? CpuUse.Of(shares) : null,
            Memory = Value(MetricCatalogue.MemoryTotal) is not { } total ? null : new MemoryUse(
                total, Value(MetricCatalogue.MemoryAvailable) ?? 0, Value(MetricCatalogue.MemoryFree), Value(MetricCatalogue.MemoryBuffers),
                Value(MetricCatalogue.MemoryCached), Value(MetricCatalogue.MemoryCommitted)),
            Swap = Value(MetricCatalogue.SwapTotal) is { } swap ? new SwapUse(swap, Value(MetricCatalogue.SwapUsed) ?? 0) : null,
            Connections = Value(MetricCatalogue.Tcp) is { } tcp ? new ConnectionCount((int)tcp, (int)(Value(MetricCatalogue.Udp) ?? 0), States()) : null,
            Processes = (int?)Value(MetricCatalogue.Processes),
            Disks = Labelled(MetricCatalogue.DiskTotal, mount => new DiskUse(
                mount, Value(MetricCatalogue.DiskTotal, mount) ?? 0, Value(MetricCatalogue.DiskUsed, mount) ?? 0,
                Value(MetricCatalogue.InodesTotal, mount) ?? 0, Value(MetricCatalogue.InodesUsed, mount) ?? 0)),
            Network = Labelled(MetricCatalogue.NetworkReceived, name => new NetworkUse(
                name, Value(MetricCatalogue.NetworkReceived, name) ?? 0, Value(MetricCatalogue.NetworkSent, name) ?? 0)),
        };

        long? Value(Metric metric, string? label = null) => values.TryGetValue(new SeriesKey(metric.Number, label), out var value) ? value : null;

        double? Number(Metric metric) => Value(metric) is { } value ? metric.Unscale(value) : null;

        double[]? Numbers(Metric[] metrics) => Number(metrics[0]) is null ? null : [.. metrics.Select(m => Number(m) ?? 0)];

        TcpStates? States() => Value(MetricCatalogue.TcpState[0]) is null ? null : TcpStates.Of([.. MetricCatalogue.TcpState.Select(m => (int)(Value(m) ?? 0))]);

        List<T>? Labelled<T>(Metric metric, Func<string?, T> of) =>
            values.Keys.Where(k => k.Metric == metric.Number).Select(k => of(k.Label)).ToList() is { Count: > 0 } found ? found : null;
    }
}
