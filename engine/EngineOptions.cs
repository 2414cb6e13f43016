namespace ManagedServers.Engine;

/// <summary>How a node executes runs. The defaults belong together; a test may shorten them all.</summary>
public sealed record EngineOptions
{
    /// <summary>The node's name, unique among all nodes of one database and the same after a restart: by it a node finds its own runs again. Default: the machine's name.</summary>
    public string NodeName { get; set; } = Environment.MachineName;

    /// <summary>Runs executed side by side on this node. 0: this process starts and shows runs but executes none. Each costs a thread, most of the time asleep.</summary>
    public int Workers { get; set; } = 16;

    /// <summary>How long a run stays with a node that has gone silent. A run of a lost node goes on elsewhere after this and one <see cref="SweepInterval"/>.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the lease is renewed: one statement a node.</summary>
    public TimeSpan LeaseRenewal { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Without a renewal for this long a node cancels its own steps: before <see cref="Lease"/> ends and another node may take them.</summary>
    public TimeSpan SelfFencing { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>How often expired leases and runs without a job are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A due run without a job in Hangfire's queue for this long is handed to it again.</summary>
    public TimeSpan PumpAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A schedule's time counts as missed when it is longer ago than this and its jitter; up to then it is fired late, whatever the misfire policy. At most one hour.</summary>
    public TimeSpan MisfireAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A wait before the next try up to this long keeps its worker; a longer one frees it.</summary>
    public TimeSpan ShortWait { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>At a stop of the node, steps may go on for this long before they are cancelled.</summary>
    public TimeSpan StopGrace { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a cancelled or timed-out step may take to let go before it is left behind and the run pauses.</summary>
    public TimeSpan LetGo { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Takeovers in a row, with no step finished in between, after which a run pauses.</summary>
    public int RecoveriesBeforePause { get; set; } = 5;

    /// <summary>How long an ended run is kept, with its journal and audit. At least a day; more than a hundred years, as <see cref="TimeSpan.MaxValue"/>, are a hundred.</summary>
    public TimeSpan KeepRuns { get; set => field = Kept(value); } = TimeSpan.FromDays(90);

    /// <summary>How long the lines of runs' logs are kept, counted in whole days.</summary>
    public TimeSpan KeepLogs { get; set => field = Kept(value); } = TimeSpan.FromDays(30);

    /// <summary>How long the counts per minute are kept.</summary>
    public TimeSpan KeepStatistics { get; set => field = Kept(value); } = TimeSpan.FromDays(365);

    /// <summary>How often watchers are told without a notification.</summary>
    public TimeSpan WatchPoll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections for Hangfire at most: its workers poll one after another, and hold one only while they do. 0 (the default): workers + 6.</summary>
    public int HangfireConnections { get; set; }

    private const int LongestName = 100;

    // What timers take, and far more than anybody means by a lease or a grace.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    // A date so long ago must still be one, for PostgreSQL too.
    private static TimeSpan Kept(TimeSpan time) => time < TimeLimits.Longest ? time : TimeLimits.Longest;

    internal int HangfirePoolSize => HangfireConnections > 0 ? HangfireConnections : Workers + 6;

    internal void Check()
    {
        Identifiers.Require(NodeName, nameof(NodeName), LongestName);

        if (Workers is < 0 or > 200)
        {
            throw new ArgumentException($"A node has 0 to 200 workers; {Workers} were asked for.");
        }

        if (HangfireConnections < 0)
        {
            throw new ArgumentException($"Hangfire has a number of connections, or 0 for the default; {HangfireConnections} were asked for.");
        }

        if (RecoveriesBeforePause < 1)
        {
            throw new ArgumentException($"A run pauses after one takeover in a row or more; {RecoveriesBeforePause} were asked for.");
        }

        if (KeepStatistics < TimeSpan.Zero)
        {
            throw new ArgumentException($"Counts per minute are kept for no time at least; {KeepStatistics} was asked for.");
        }

        if (new[] { Lease, LeaseRenewal, SelfFencing, SweepInterval, PumpAfter, ShortWait, StopGrace, LetGo, WatchPoll }.Max() > Longest)
        {
            throw new ArgumentException($"No time is longer than {Longest.TotalDays} days, but those for which something is kept.");
        }

        if (KeepRuns < TimeSpan.FromDays(1) || KeepLogs < TimeSpan.FromDays(1))
        {
            throw new ArgumentException($"Ended runs ({KeepRuns}) and their logs ({KeepLogs}) are kept for a day at least.");
        }

        if (SweepInterval < TimeSpan.FromMilliseconds(100) || WatchPoll < TimeSpan.FromMilliseconds(100))
        {
            throw new ArgumentException($"Sweeps ({SweepInterval}) and polls ({WatchPoll}) more often than ten times a second would only keep the database busy.");
        }

        if (LetGo < TimeSpan.Zero || StopGrace < TimeSpan.Zero || ShortWait < TimeSpan.Zero || PumpAfter < TimeSpan.Zero)
        {
            throw new ArgumentException($"No time is negative: LetGo {LetGo}, StopGrace {StopGrace}, ShortWait {ShortWait}, PumpAfter {PumpAfter}.");
        }

        if (MisfireAfter < TimeSpan.Zero || MisfireAfter > TimeSpan.FromHours(1))
        {
            throw new ArgumentException($"A schedule's time counts as missed after 0 to 60 minutes; {MisfireAfter} was asked for.");
        }

        if (LeaseRenewal <= TimeSpan.Zero || SelfFencing < LeaseRenewal * 2 || Lease <= SelfFencing)
        {
            throw new ArgumentException($"The lease ({Lease}) must be longer than self-fencing ({SelfFencing}), and that at least twice the renewal ({LeaseRenewal}).");
        }
    }
}
