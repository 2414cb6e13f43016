using System.Security.Cryptography;
using System.Text;
using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>How the files of a configuration differ from those that are current, as a plan shows it.</summary>
internal static class FileDifferences
{
    public const int LargestShown = 256 * 1024;

    // A plan is read by a person.
    private const int MostShown = 20;

    public static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <param name="there">The digests of those that are current, by their names.</param>
    /// <param name="before">One of those; null where it cannot be shown.</param>
    public static async Task<IReadOnlyList<PlannedChange>> Of(
        string component, SortedDictionary<string, byte[]> files, IReadOnlyDictionary<string, string> there, Func<string, Task<byte[]?>> before)
    {
        List<PlannedChange> changes = [.. there.Keys.Except(files.Keys).Order(StringComparer.Ordinal).Select(n => File(ChangeKind.Remove, n))];
        foreach (var (name, content) in files.Where(f => there.GetValueOrDefault(f.Key) != Digest(f.Value)))
        {
            var known = there.ContainsKey(name);
            var shown = known && name != KnotConfiguration.KeyFile && changes.Count < MostShown && content.Length <= LargestShown;
            changes.Add(File(known ? ChangeKind.Change : ChangeKind.Add, name, shown && await before(name) is { Length: <= LargestShown } former
                ? TextDifference.Of(Encoding.UTF8.GetString(former), Encoding.UTF8.GetString(content)) : null));
        }

        return changes.Count <= MostShown ? changes : [.. changes.Take(MostShown), File(ChangeKind.Change, $"{changes.Count - MostShown} more files")];

        PlannedChange File(ChangeKind kind, string name, string? detail = null) => new(kind, "file", $"{component}/{name}", detail);
    }
}
