using System.Diagnostics.Metrics;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>What this process takes in, for whoever collects the figures of programs.</summary>
public static class IntakeMeter
{
    /// <summary>Of the meter.</summary>
    public const string Name = "Managed.Servers";
    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> Records = Meter.CreateCounter<long>("records_total", description: "Heartbeats and samples that were accepted: new, or duplicates of what had been");
    private static readonly Counter<long> Reports = Meter.CreateCounter<long>("reports_refused_total", description: "Reports of which nothing was stored: broken ones, and those for which there was no room");

    internal static void Accepted(string kind, Accepted accepted)
    {
        Records.Add(accepted.Count, new("source", kind), new("outcome", "new"));
        Records.Add(accepted.Duplicates, new("source", kind), new("outcome", "duplicate"));
    }

    internal static void Refused(string kind, string why) => Reports.Add(1, new("source", kind), new("reason", why));
}
