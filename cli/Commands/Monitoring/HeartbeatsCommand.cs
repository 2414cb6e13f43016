using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>A server's beats.</summary>
internal static class HeartbeatsCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Option<int?> Limit = new("--limit") { Description = "How many beats at most. The product decides if not given.", HelpName = "N" };

    public static DocumentedCommand Build() => new DocumentedCommand("heartbeats", "Show the heartbeats of a server, newest first.")
    {
        Notes = ["A beat is late when it came out of the host's spool: it fills the history and does not count as a sign of life."],
        Examples = ["msctl heartbeats ns1", "msctl heartbeats ns1 --limit 5 -o json"],
    }.With(Name, Limit).Does(async (call, cancellationToken) =>
    {
        var beats = await call.Product.Monitoring.Heartbeats(call.Get(Name), call.Get(Limit), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(beats.Json);
        }
        else
        {
            Write(call.Screen, beats.Value, call.Now);
        }

        return ExitCode.Done;
    });

    private static void Write(Screen screen, HeartbeatPage page, DateTimeOffset now)
    {
        var table = new TextTable(
            ("SENT", Fit.Whole), ("RECEIVED", Fit.Whole), ("LATE", Fit.Whole), ("UPTIME", Fit.Right), ("LOAD", Fit.Whole), ("MEMORY FREE", Fit.Right), ("DOCKER", Fit.MayShrink));
        foreach (var beat in page.Items)
        {
            table.Row(
                Words.Time(beat.SentAt), Words.Time(beat.ReceivedAt), beat.Late ? new Cell("late", Tone.Warning) : "",
                beat.UptimeSeconds is { } up ? Words.Span(TimeSpan.FromSeconds(up)) : "", string.Join(' ', (beat.Load ?? []).Select(Words.Number)),
                Words.Bytes(beat.Memory?.AvailableBytes), Docker(beat.Docker));
        }

        table.Write(screen, "No heartbeats yet.");
        var summary = page.Summary;
        var total = summary.Total is { } all ? $", {Words.Many(all, "beat")} in all" : "";
        screen.Line();
        screen.Line(screen.Paint(
            SafeText.Line($"{summary.Received} of {summary.Due} due beats came, {summary.Status}; last {Words.Ago(summary.LastAt, now)}{total}."), Tones.OfHeartbeat(summary.Status)));
    }

    private static Cell Docker(DockerState? docker) =>
        new($"{docker?.State} {docker?.Version}".Trim(), docker?.State is "running" ? Tone.Plain : Tone.Warning);
}
