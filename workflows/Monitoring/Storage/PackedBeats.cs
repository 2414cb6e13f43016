namespace ManagedServers.Workflows.Monitoring;

/// <summary>The beats of one server and hour as columns.</summary>
internal static class PackedBeats
{
    private const ulong Version = 1;

    /// <param name="beats">In the order of their times.</param>
    public static byte[] Pack(IReadOnlyList<StoredHeartbeat> beats)
    {
        var pack = new PackWriter();
        pack.Number(Version);
        pack.Number((ulong)beats.Count);
        pack.Column([.. beats.Select(b => (long?)b.SentAt.ToUnixTimeMilliseconds())]);
        pack.Column([.. beats.Select(b => (long?)(b.ReceivedAt - b.SentAt).Ticks / TimeSpan.TicksPerMillisecond)]);
        pack.Column([.. beats.Select(b => (long?)b.Seq)]);
        pack.Column([.. beats.Select(b => (long?)(b.Late ? 1 : 0))]);
        pack.Texts([.. beats.Select(b => b.AgentVersion)]);
        pack.Texts([.. beats.Select(b => b.Docker?.State)]);
        pack.Texts([.. beats.Select(b => b.Docker?.Version)]);
        pack.Texts([.. beats.Select(b => StoredJson.Text(b.Components))]);
        foreach (var (key, column) in Columns(beats))
        {
            pack.Number((ulong)key.Metric);
            pack.Text(key.Label ?? "");
            pack.Column(column);
        }

        return pack.Compressed();
    }

    public static IReadOnlyList<StoredHeartbeat> Unpack(byte[] data)
    {
        var pack = new PackReader(data);
        if (pack.Number() is not Version and var other)
        {
            throw new InvalidDataException($"Beats were packed in the form {other}, by a newer version of the product.");
        }

        var rows = (int)pack.Number();
        var (sent, delay, seq, late) = (pack.Column(rows), pack.Column(rows), pack.Column(rows), pack.Column(rows));
        var (agents, dockers, dockerVersions, components) = (pack.Texts(rows), pack.Texts(rows), pack.Texts(rows), pack.Texts(rows));
        var values = Enumerable.Range(0, rows).Select(_ => new Dictionary<SeriesKey, long>()).ToArray();
        while (!pack.End)
        {
            var key = new SeriesKey((int)pack.Number(), pack.Text() is { Length: > 0 } label ? label : null);
            var column = pack.Column(rows);
            for (var row = 0; row < rows; row++)
            {
                if (column[row] is { } value)
                {
                    values[row][key] = value;
                }
            }
        }

        return [.. Enumerable.Range(0, rows).Select(row =>
        {
            var sentAt = DateTimeOffset.FromUnixTimeMilliseconds(sent[row]!.Value);
            var docker = dockers[row] is { } state ? new DockerReport(state, dockerVersions[row]) : null;
            var beat = new StoredHeartbeat(
                seq[row]!.Value, sentAt, sentAt.AddMilliseconds(delay[row]!.Value), late[row] == 1, agents[row], null, null, null, null, null, null, docker,
                StoredJson.Read<List<ComponentReport>>(components[row]));
            return BeatValues.Put(beat, values[row]);
        })];
    }

    private static Dictionary<SeriesKey, long?[]> Columns(IReadOnlyList<StoredHeartbeat> beats)
    {
        var columns = new Dictionary<SeriesKey, long?[]>();
        for (var row = 0; row < beats.Count; row++)
        {
            foreach (var (key, value) in BeatValues.Of(beats[row]))
            {
                if (!columns.TryGetValue(key, out var column))
                {
                    columns[key] = column = new long?[beats.Count];
                }

                column[row] = value;
            }
        }

        return columns;
    }
}
