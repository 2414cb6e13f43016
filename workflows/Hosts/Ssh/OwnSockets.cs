using System.Globalization;

namespace ManagedServers.Workflows.Hosts.Ssh;

/// <summary>Whether a TCP connection on loopback begins in this very process, as the kernel tells it. What it does not tell is a no.</summary>
internal static class OwnSockets
{
    private const int LocalColumn = 1;
    private const int RemoteColumn = 2;
    private const int InodeColumn = 9;
    private static readonly string Mapped = BitConverter.IsLittleEndian ? "0000000000000000FFFF0000" : "00000000000000000000FFFF";

    /// <param name="from">The port of the connection's beginning.</param>
    /// <param name="to">The port that it is connected to.</param>
    public static bool Connected(int from, int to)
    {
        try
        {
            // A socket for both families is in the second table, with the address of the first one mapped.
            var inode = Inode("/proc/self/net/tcp", "", from, to) ?? Inode("/proc/self/net/tcp6", Mapped, from, to);
            return inode is not null && Directory.EnumerateFileSystemEntries("/proc/self/fd").Any(file => LinkOf(file) == $"socket:[{inode}]");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? Inode(string table, string prefix, int from, int to)
    {
        var (local, remote) = (prefix + Loopback(from), prefix + Loopback(to));
        return File.ReadLines(table)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(c => c.Length > InodeColumn && c[LocalColumn] == local && c[RemoteColumn] == remote)
            .Select(c => c[InodeColumn])
            .FirstOrDefault();
    }

    // As the kernel prints it: the address in words of the machine's own byte order, the port in the network's.
    private static string Loopback(int port) => (BitConverter.IsLittleEndian ? "0100007F:" : "7F000001:") + port.ToString("X4", CultureInfo.InvariantCulture);

    private static string? LinkOf(string file)
    {
        try
        {
            return new FileInfo(file).LinkTarget;
        }
        catch (IOException)
        {
            // Closed meanwhile.
            return null;
        }
    }
}
