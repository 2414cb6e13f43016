namespace ManagedServers.Workflows.Monitoring;

internal sealed record NameKey(Guid ServerId, string Zone, string Name, string Type);

internal sealed record NameSum(long Count, DateTimeOffset First, DateTimeOffset Last);

internal sealed record CountKey(Guid ServerId, DateTimeOffset At, string What, string Key);

/// <summary>Adds a batch's samples up in memory, because one statement may touch a row only once.</summary>
internal sealed class DnsTally
{
    public Dictionary<NameKey, NameSum> Names { get; } = [];
    public Dictionary<(NameKey Name, DateTimeOffset At), long> Hits { get; } = [];
    public Dictionary<(Guid ServerId, DateTimeOffset At), (long Queries, long Named, long Other)> Minutes { get; } = [];
    public Dictionary<CountKey, long> Counts { get; } = [];
    public Dictionary<(Guid ServerId, DateTimeOffset At, string Subnet), (DateTimeOffset To, SubnetUse Use)> Subnets { get; } = [];
    public Dictionary<Guid, (DateTimeOffset At, bool Connected)> States { get; } = [];

    public void Add(Guid serverId, SampleRow row)
    {
        var (sample, at) = (row.Sample, row.Minute);
        Add(serverId, at, MetricCatalogue.DnsResponses, sample.Responses);
        Add(serverId, at, MetricCatalogue.DnsTypes, sample.Types);
        Add(serverId, at, MetricCatalogue.DnsTransports, sample.Transports);
        Add(serverId, at, MetricCatalogue.DhcpPackets, sample.Dhcp?.Packets);
        foreach (var use in sample.Dhcp?.Subnets ?? [])
        {
            var key = (serverId, at, use!.Subnet!);
            Subnets[key] = Subnets.TryGetValue(key, out var known) && known.To > row.To ? known : (row.To, use);
        }

        if (sample.Connected is not null || sample.Queries > 0 || sample.Named > 0)
        {
            AddDns(serverId, row, sample.Connected ?? false);
        }
    }

    private void AddDns(Guid serverId, SampleRow row, bool connected)
    {
        var (sample, at) = (row.Sample, row.Minute);
        var sum = Minutes.GetValueOrDefault((serverId, at));
        Minutes[(serverId, at)] = (sum.Queries + sample.Queries, sum.Named + sample.Named, sum.Other + sample.Other);
        if (!States.TryGetValue(serverId, out var state) || state.At <= row.To)
        {
            States[serverId] = (row.To, connected);
        }

        foreach (var name in sample.Names ?? [])
        {
            Add(new NameKey(serverId, name!.Zone!, name.Name!, name.Type!), name.Count, Last(name, row), at);
        }
    }

    /// <summary>Counts a name without a row of its own: its queries stay in the totals as <c>other</c>.</summary>
    public void Fold(NameKey name)
    {
        Names.Remove(name);
        foreach (var (key, count) in Hits.Where(h => h.Key.Name == name).ToList())
        {
            Hits.Remove(key);
            var sum = Minutes[(name.ServerId, key.At)];
            Minutes[(name.ServerId, key.At)] = sum with { Other = sum.Other + count };
        }
    }

    private void Add(Guid serverId, DateTimeOffset at, Metric what, IReadOnlyDictionary<string, long>? counts)
    {
        foreach (var (name, count) in counts ?? new Dictionary<string, long>())
        {
            var key = new CountKey(serverId, at, what.Name, name);
            Counts[key] = Counts.GetValueOrDefault(key) + count;
        }
    }

    private void Add(NameKey key, long count, DateTimeOffset last, DateTimeOffset at)
    {
        Names[key] = Names.TryGetValue(key, out var known)
            ? new NameSum(known.Count + count, known.First < last ? known.First : last, known.Last > last ? known.Last : last)
            : new NameSum(count, last, last);
        Hits[(key, at)] = Hits.GetValueOrDefault((key, at)) + count;
    }

    // Told in the sender's clock like the sample's own times; outside of the sample it is a clock that was set meanwhile.
    private static DateTimeOffset Last(NameCount name, SampleRow row)
    {
        if (name.Last is not { } last || row.Sample.To is not { } to)
        {
            return row.To;
        }

        // An age, and not a time: the sum of a time and what a sender says may be none.
        var age = to - last;
        return age <= TimeSpan.Zero ? row.To : age >= row.To - row.From ? row.From : row.To - age;
    }
}
