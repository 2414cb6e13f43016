namespace ManagedServers.Bench.Setup;

/// <summary>Processor time used so far by this process and by a PostgreSQL with all its backends: what others on the machine do changes it little.</summary>
internal sealed record CpuTime(TimeSpan Own, TimeSpan Postgres)
{
    private const double Tick = 10; // ms; USER_HZ is 100 on every Linux that .NET runs on

    public static CpuTime Now(int postmaster) => new(Environment.CpuUsage.TotalTime, Tree(postmaster));

    public static CpuTime operator -(CpuTime late, CpuTime early) => new(late.Own - early.Own, late.Postgres - early.Postgres);

    /// <summary>Of one process.</summary>
    public static TimeSpan Of(int process) => TimeSpan.FromMilliseconds(Tick * (Stat($"/proc/{process}")?[11..13].Sum(long.Parse) ?? 0));

    /// <summary>Of a PostgreSQL with all its backends: the postmaster's own figure holds its ended children; those that live are added.</summary>
    public static TimeSpan Tree(int postmaster)
    {
        var sum = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(f => char.IsAsciiDigit(Path.GetFileName(f)[0])))
        {
            if (Stat(folder) is { } stat && (Path.GetFileName(folder) == $"{postmaster}" || stat[1] == $"{postmaster}"))
            {
                sum += stat[11..15].Sum(long.Parse);
            }
        }

        return TimeSpan.FromMilliseconds(Tick * sum);
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
