namespace ManagedServers.Workflows.Hosts.Docker;

/// <summary>A folder of the host in a container: <c>/on/host:/in/container</c>, with <c>:ro</c> where the container may only read it.</summary>
internal static class Bind
{
    /// <summary>
    /// Where there is SELinux, Docker gives the folder the label that containers may use; the shared one, because two of them meet in the sockets' folders.
    /// Elsewhere it means nothing.
    /// </summary>
    public static string Labelled(string bind) => bind.EndsWith(":ro", StringComparison.Ordinal) ? $"{bind},z" : $"{bind}:z";
}
