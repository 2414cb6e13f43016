using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>What a monitor may say.</summary>
internal static partial class DnsRules
{
    private const int MostSamples = 1000;
    private const int MostNames = 20_000;
    private const int MostCounts = 300;
    private const int MostSubnets = 2000;

    // 255 bytes, each at worst written as \ddd.
    private const int LongestName = 1020;
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromHours(1);

    public static Delivery Check(Guid serverId, DnsReport report, DateTimeOffset receivedAt, MonitoringOptions options, DateTimeOffset? sentAt = null)
    {
        var refusals = new Refusals();
        var epoch = Common.Epoch(report.Epoch, refusals);
        var clock = new SenderClock(receivedAt, report.Now, options.OldestAccepted, sentAt);
        refusals.Require(report.Samples is { Count: >= 1 and <= MostSamples }, "samples", $"1 to {MostSamples} samples.");
        refusals.Require((report.Samples ?? []).Sum(s => (long)(s?.Names?.Count ?? 0)) <= MostNames, "samples", $"At most {MostNames} names in all samples together.");
        refusals.ThrowIfAny();

        var samples = report.Samples!.Select((sample, i) => Check(sample, $"samples[{i}]", clock, refusals)).ToList();
        refusals.ThrowIfAny();
        return new Delivery { ServerId = serverId, Kind = Delivery.Monitor, Epoch = epoch, Clock = clock, Samples = samples! };
    }

    private static SampleRow? Check(DnsSample? sample, string path, SenderClock clock, Refusals refusals)
    {
        refusals.Require(sample is not null, path, "A sample is an object.");
        if (sample is null)
        {
            return null;
        }

        Common.Seq(sample.Seq, path, refusals);
        var from = clock.Age(sample.From, $"{path}.from", refusals);
        var to = clock.Age(sample.To, $"{path}.to", refusals);
        refusals.Require(from >= to && from - to <= LongestPeriod, $"{path}.to", "Not before from, and at most an hour after it.");
        refusals.Tally(sample.Queries, $"{path}.queries");
        refusals.Tally(sample.Named, $"{path}.named");
        refusals.Tally(sample.Other, $"{path}.other");
        foreach (var (name, i) in (sample.Names ?? []).Select((name, i) => (name, i)))
        {
            Check(name, $"{path}.names[{i}]", refusals);
        }

        var named = (sample.Names ?? []).Sum(n => (decimal)(n?.Count ?? 0)) + sample.Other;
        refusals.Require(sample.Named == named, $"{path}.named", "The sum of the names' counts and of other.");
        Counts(sample.Responses, ResponseCode(), "Response codes are 1 to 16 capitals and digits, as in NXDOMAIN.", $"{path}.responses", refusals);
        Counts(sample.Types, Word(), "Record types are 1 to 32 letters, digits and '-'.", $"{path}.types", refusals);
        Counts(sample.Transports, Word(), "Transports are 1 to 32 letters, digits and '-', as in udp4.", $"{path}.transports", refusals);
        if (sample.Dhcp is { } dhcp)
        {
            Counts(dhcp.Packets, Word(), "Packets are 1 to 32 letters, digits and '-', as in offer-sent.", $"{path}.dhcp.packets", refusals);
            Subnets(dhcp.Subnets ?? [], $"{path}.dhcp.subnets", refusals);
        }

        return new SampleRow(sample, clock.Ours(from), clock.Ours(to));
    }

    private static void Check(NameCount? name, string path, Refusals refusals)
    {
        refusals.Require(name is not null, path, "A name's count is an object.");
        if (name is null)
        {
            return;
        }

        refusals.Require(Presentation(name.Zone), $"{path}.zone", "A zone's name in lower case, escaped as in a zone file, with its final dot.");
        refusals.Require(Presentation(name.Name), $"{path}.name", "A name in lower case, escaped as in a zone file, with its final dot.");
        refusals.Require(name.Name is null || name.Zone is null or "." || name.Name == name.Zone || name.Name.EndsWith("." + name.Zone, StringComparison.Ordinal),
            $"{path}.name", "A name inside its zone.");
        refusals.Require(RecordType().IsMatch(name.Type ?? ""), $"{path}.type", "A record type, as in AAAA or TYPE65280.");
        refusals.Require(name.Count is >= 1 and <= 1_000_000_000_000, $"{path}.count", "A whole number from 1 to 10^12.");
    }

    private static void Counts(IReadOnlyDictionary<string, long>? counts, Regex key, string rule, string path, Refusals refusals)
    {
        refusals.Require(counts is null or { Count: <= MostCounts }, path, $"At most {MostCounts} counts.");
        foreach (var (name, count) in (counts ?? new Dictionary<string, long>()).Take(MostCounts))
        {
            refusals.Require(key.IsMatch(name), path, rule);
            refusals.Tally(count, $"{path}.{(key.IsMatch(name) ? name : "?")}");
        }
    }

    private static void Subnets(IReadOnlyList<SubnetUse?> subnets, string path, Refusals refusals)
    {
        refusals.Require(subnets.Count <= MostSubnets, path, $"At most {MostSubnets} subnets.");
        refusals.Require(subnets.Where(s => s is not null).DistinctBy(s => s!.Subnet).Count() == subnets.Count(s => s is not null), path, "Each subnet once.");
        foreach (var (subnet, i) in subnets.Take(MostSubnets).Select((subnet, i) => (subnet, i)))
        {
            var field = $"{path}[{i}]";
            refusals.Require(subnet is not null, field, "A subnet's use is an object.");
            refusals.Require(subnet is null || (IPNetwork.TryParse(subnet.Subnet, out var network) && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork && network.ToString() == subnet.Subnet),
                $"{field}.subnet", "An IPv4 network, as in 192.0.2.0/24.");
            refusals.Amount(subnet?.Total, $"{field}.total");
            refusals.Amount(subnet?.Assigned, $"{field}.assigned");
            refusals.Amount(subnet?.Declined, $"{field}.declined");
        }
    }

    private static bool Presentation(string? name) =>
        name is { Length: >= 1 and <= LongestName } && name[^1] == '.' && name.All(c => c is > ' ' and <= '~' and not (>= 'A' and <= 'Z'));

    [GeneratedRegex(@"\A[A-Z][A-Z0-9-]{0,15}\z")]
    private static partial Regex RecordType();

    [GeneratedRegex(@"\A[A-Za-z0-9-]{1,32}\z")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A[A-Z0-9]{1,16}\z")]
    private static partial Regex ResponseCode();
}
