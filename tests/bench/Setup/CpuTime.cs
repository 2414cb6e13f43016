namespace ManagedServers.Bench.Setup;

/// <summary>Processor time used so far by this process and by a PostgreSQL with all its backends: what others on the machine do changes it little.</summary>
internal sealed record CpuTime(TimeSpan Own, TimeSpan Postgres)
{
    private const double Tick = 10; // ms; USER_HZ is 100 on every Linux that .NET runs on

    public static CpuTime Now(int postmaster) => new(Environment.CpuUsage.TotalTime, TimeSpan.FromMilliseconds(Tick * Tree(postmaster)));

    public static CpuTime operator -(CpuTime late, CpuTime early) => new(late.Own - early.Own, late.Postgres - early.Postgres);

    // The postmaster's own figure holds its ended children; those that live are added.
    private static long Tree(int postmaster)
    {
        var sum = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => char.IsAsciiDigit(Path.GetFileName(f)[0])))
        {
            if (Stat(folder) is { } stat && (Path.GetFileName(folder) == $"{postmaster}" || stat[1] == $"{postmaster}"))
            {
                sum += stat[11..15].Sum(long.Parse);
            }
        }

        return sum;
    }

    // Fields from the third on: state, parent, …, utime, stime, cutime, cstime.
    private static string[]? Stat(string folder)
    {
        try
        {
            var line = File.ReadAllText(Path.Combine(folder, "stat"));
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null; // it has just ended
        }
    }
}
