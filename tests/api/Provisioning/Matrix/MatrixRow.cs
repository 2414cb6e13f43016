namespace ManagedServers.Tests.Provisioning.Matrix;

/// <summary>How a host is before and after a workflow.</summary>
internal enum HostState
{
    Bare,
    Installed,
    Stopped,
}

/// <summary>One workflow: from which state it is started, how, and to which it leads.</summary>
internal sealed record MatrixRow(string Kind, HostState From, HostState To, Func<RegisteredHost, Task<Guid>> Start)
{
    // Long enough to break something in it.
    private static readonly object[] Commands = [new { name = "take a moment", command = "sleep 0.3" }];

    // Those that wait for what is done on a host without a login, which ManualTests break; the one that works on no host, which DeliveryTests break; the one that fetches, which PullTests breaks.
    public static readonly IReadOnlyList<string> Elsewhere = ["install-manually", "uninstall-manually", "notify", "poll-statistics"];

    /// <summary>The step at which it waits until somebody approves; null when it does not.</summary>
    public string? Approval { get; init; }

    /// <summary>Each begins where the one before has ended.</summary>
    public static readonly IReadOnlyList<MatrixRow> All =
    [
        new("install", HostState.Bare, HostState.Installed, host => host.Install(RegisteredHost.OneZone(pre: Commands, post: Commands))),
        new("apply", HostState.Installed, HostState.Installed, Apply),
        new("rotate-credential", HostState.Installed, HostState.Installed, host => Post(host, "rotate-credential")),
        new("accept-host-key", HostState.Installed, HostState.Installed, async host =>
        {
            await host.Lab.Run("rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; lab-service ssh restart; pkill -KILL -f '^sshd: root' || true");
            await ProductProcess.Until(async () => (await host.Post("/api/v2/pvservers/ns1/test", new { })).TryGetProperty("type", out var type) && type.GetString() == "host-key-changed", "the changed key is met");
            return await Post(host, "host-key");
        }) { Approval = "accept" },
        new("restart", HostState.Installed, HostState.Installed, host => Post(host, "restart")),
        new("run-commands", HostState.Installed, HostState.Installed, host => Post(host, "run-commands", new { commands = Commands })),
        new("stop", HostState.Installed, HostState.Stopped, host => Post(host, "stop")),
        new("start", HostState.Stopped, HostState.Installed, host => Post(host, "start")),
        new("check-drift", HostState.Installed, HostState.Installed, host => Post(host, "drift/check")),
        new("uninstall", HostState.Installed, HostState.Bare, host => Post(host, "uninstall")),
    ];

    private static int serial = 1;

    /// <summary>Another zone file each time.</summary>
    private static async Task<Guid> Apply(RegisteredHost host)
    {
        var file = RegisteredHost.Zone.Replace(" 1 3600", $" {Interlocked.Increment(ref serial)} 3600", StringComparison.Ordinal);
        return (await host.Post("/api/v2/pvservers/ns1/configuration/apply", new { zones = new[] { new { name = "example.org", file } } })).GetProperty("runId").GetGuid();
    }

    private static async Task<Guid> Post(RegisteredHost host, string verb, object? body = null)
    {
        var started = await host.Post($"/api/v2/pvservers/ns1/{verb}", body ?? new { });
        return started.TryGetProperty("runId", out var run) ? run.GetGuid() : throw new InvalidOperationException($"{verb}: {started}");
    }
}

/// <summary>What came of a fault.</summary>
internal sealed record MatrixCell(string Kind, string Step, Fault Fault, string Outcome, double Seconds)
{
    public static IEnumerable<string> Table(IReadOnlyList<MatrixCell> cells)
    {
        string[][] rows = [["workflow", "step", "fault", "seconds", "what came of it"], .. cells.Select(c => new[] { c.Kind, c.Step, c.Fault.ToString(), $"{c.Seconds:0.0}", c.Outcome })];
        var widths = Enumerable.Range(0, 5).Select(n => rows.Max(r => r[n].Length)).ToArray();
        return rows.Select(r => string.Join("  ", r.Select((text, n) => n == 3 ? text.PadLeft(widths[n]) : text.PadRight(widths[n]))).TrimEnd());
    }
}
