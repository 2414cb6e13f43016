using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Tests.Monitoring;

/// <summary>Reports as they come over the wire.</summary>
internal static class Reports
{
    public const string Epoch = "00112233445566778899aabbccddeeff";

    public static HeartbeatReport Beats(DateTimeOffset now, params (long Seq, DateTimeOffset SentAt)[] beats) => new()
    {
        Epoch = Epoch,
        Now = now,
        Beats = [.. beats.Select(b => new Heartbeat { Seq = b.Seq, SentAt = b.SentAt, AgentVersion = "1" })],
    };

    public static HeartbeatReport Beat(long seq, DateTimeOffset at) => Beats(at, (seq, at));

    public static DnsReport Dns(DateTimeOffset now, params DnsSample[] samples) => new() { Epoch = Epoch, Now = now, Samples = samples };

    /// <summary>Ten seconds that end at <paramref name="to"/>, with every query named.</summary>
    public static DnsSample Sample(long seq, DateTimeOffset to, params (string Name, string Type, long Count)[] names) => new()
    {
        Seq = seq,
        From = to.AddSeconds(-10),
        To = to,
        Queries = names.Sum(n => n.Count),
        Named = names.Sum(n => n.Count),
        Names = [.. names.Select(n => new NameCount("example.org.", n.Name, n.Type, n.Count, to))],
        Responses = new Dictionary<string, long> { ["NOERROR"] = names.Sum(n => n.Count) },
        Connected = true,
    };

    public static T Parse<T>(string json) => JsonSerializer.Deserialize<T>(json, EngineJson.Options)!;
}
