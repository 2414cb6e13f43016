using ManagedServers.Dashboard.Parts;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Dashboard.Servers;

public enum ServerColumn { Name, Requests, Dns, Monitor, Dhcp, State }

/// <summary>How the list is cut and ordered.</summary>
internal static class ServerTable
{
    /// <summary>The version of a component, blank when it does not run.</summary>
    public static string? RunningVersion(this ServerView server, string component) =>
        server.Components.FirstOrDefault(c => c.Name == component && c.State == "running")?.Version;

    public static IEnumerable<ServerView> Sorted(IEnumerable<ServerView> servers, Sorting<ServerColumn> sorting)
    {
        var byName = servers.OrderBy(s => s.Name, StringComparer.OrdinalIgnoreCase);
        return sorting.By switch
        {
            ServerColumn.Name => By(servers, s => s.Name, sorting.Descending, StringComparer.OrdinalIgnoreCase),
            ServerColumn.Requests => By(byName, s => s.Heartbeat.Due == 0 ? -1 : (double)s.Heartbeat.Received / s.Heartbeat.Due, sorting.Descending),
            ServerColumn.Dns => By(byName, s => Version(s, "dns"), sorting.Descending),
            ServerColumn.Monitor => By(byName, s => Version(s, "monitor"), sorting.Descending),
            ServerColumn.Dhcp => By(byName, s => Version(s, "dhcp"), sorting.Descending),
            _ => By(byName, s => s.State.ToString(), sorting.Descending),
        };
    }

    private static IEnumerable<ServerView> By<TKey>(IEnumerable<ServerView> servers, Func<ServerView, TKey> key, bool descending, IComparer<TKey>? comparer = null) =>
        descending ? servers.OrderByDescending(key, comparer) : servers.OrderBy(key, comparer);

    // 3.10 is newer than 3.9; what is no version sorts before all versions.
    private static Version Version(ServerView server, string component) =>
        System.Version.TryParse(server.RunningVersion(component)?.Split('-')[0], out var version) ? version : new Version();
}
