using System.Collections.Concurrent;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>What this process has taken in since its start.</summary>
public sealed class IntakeTotals
{
    private readonly ConcurrentDictionary<(string Source, string Outcome), long> records = new();
    private readonly ConcurrentDictionary<(string Source, string Reason), long> refused = new();

    /// <summary>Records by who sent them (agent, monitor): <c>new</c>, or a <c>duplicate</c> of what had been.</summary>
    public IReadOnlyDictionary<(string Source, string Outcome), long> Records => records;

    /// <summary>Reports of which nothing was stored: <c>broken</c> ones, and those for which there was no room (<c>busy</c>).</summary>
    public IReadOnlyDictionary<(string Source, string Reason), long> Refused => refused;

    internal void Accept(string source, Accepted accepted)
    {
        Add(records, (source, "new"), accepted.Count);
        Add(records, (source, "duplicate"), accepted.Duplicates);
    }

    internal void Refuse(string source, string reason) => Add(refused, (source, reason), 1);

    private static void Add(ConcurrentDictionary<(string, string), long> totals, (string, string) key, long count) => totals.AddOrUpdate(key, count, (_, sum) => sum + count);
}
