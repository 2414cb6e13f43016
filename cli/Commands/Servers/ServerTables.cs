using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>The server that a command is about.</summary>
internal static class ServerArgument
{
    public static Argument<string> Make() => new("NAME") { Description = "Name or id of the server" };
}

/// <summary>Servers as rows and as a page.</summary>
internal static class ServerTables
{
    public static void List(Screen screen, bool all, IReadOnlyList<Server> servers, DateTimeOffset now)
    {
        var table = new TextTable(
            ("NAME", Fit.Whole), ("STATE", Fit.Whole), ("BEATS", Fit.Whole), ("LAST BEAT", Fit.Whole), ("ADDRESS", Fit.MayShrink), ("COMPONENTS", Fit.MayShrink));
        foreach (var server in servers)
        {
            table.Row(
                new Cell(server.Name, Tone.Strong), new Cell(IsPausedInService(server) ? $"{server.State}, run paused" : server.State, Tones.OfServer(server.State)), Beats(server.Heartbeat), Last(server.Heartbeat, now),
                Way(server), string.Join(", ", server.Components.Select(Installed)));
        }

        table.Write(screen, all ? "No servers yet. Add one: msctl servers add NAME --address HOST" : "No server matches.");
    }

    public static void Page(Screen screen, Server server, DateTimeOffset now)
    {
        var page = new FieldPage(screen);
        page.Field("Name", server.Name, Tone.Strong);
        page.Field("Id", server.Id.ToString());
        page.Field("State", server.State, Tones.OfServer(server.State));
        page.Field("Reason", server.StateReason);
        page.Field("Paused run", IsPausedInService(server) ? server.PausedRun : null, Tone.Warning);
        if (server.Installation == "manual")
        {
            page.Field("Installed", "by hand: the product has no login on the host");
            page.Field("Address", server.Address);
        }
        else
        {
            page.Field("SSH", $"{Way(server)} ({server.Authentication})");
            page.Field("SSH route", server.SshRoute);
            page.Field("System", server.OperatingSystem is { } system ? SystemOption.Name(system) : null);
            page.Field("Login", server.Login switch { "sudo" => "becomes root through sudo", "docker" => "in the group docker, never root", var login => login });
            page.Field("Folder", server.Folder);
            page.Field("Host key", server.HostKey is { } key ? $"{key.Algorithm} {key.Fingerprint}" : "none accepted");
        }

        page.Field("API address", server.ApiAddress);
        page.Field("Statistics", server.Statistics switch { "rabbitmq" => "over RabbitMQ", "pull" => "fetched over SSH", _ => null });
        page.Field("Components", server.Components.Count == 0 ? "none" : string.Join(", ", server.Components.Select(Installed)));
        page.Field("Heartbeats", server.Heartbeat is { Status: not "none" } beat ? $"{beat.Received} of {beat.Due} due, {beat.Status}, last {Last(beat, now).Text}" : "none yet", Tones.OfHeartbeat(server.Heartbeat?.Status));
        page.Field("Not fetched", server.PullProblem, Tone.Warning);
        page.Field("Drift", server.DriftProblem is { } problem ? $"not looked at: {problem}" : null, Tone.Warning);
        page.Field("Added", Words.Time(server.CreatedAt));
        page.Field("Last run", server.LastRunId?.ToString());
        page.Write();
    }

    // Of a server that is failed, the paused run is the reason.
    private static bool IsPausedInService(Server server) => server is { PausedRun: not null, State: not "failed" };

    private static string Way(Server server) => server.Installation == "manual" ? $"by hand{(server.Address is null ? "" : $", {server.Address}")}" : $"{server.SshUser}@{server.Address}:{server.SshPort}";

    private static string Installed(Component component) =>
        component.State is null or "running" ? $"{component.Name} {component.Version}".TrimEnd() : $"{component.Name} {component.Version} ({component.State})";

    private static Cell Beats(HeartbeatSummary? beat) => beat is null or { Status: "none" }
        ? new Cell("-", Tone.Quiet)
        : new Cell($"{beat.Received}/{beat.Due} {beat.Status}", Tones.OfHeartbeat(beat.Status));

    private static Cell Last(HeartbeatSummary? beat, DateTimeOffset now) => new(Words.Ago(beat?.LastAt, now), beat?.LastAt is null ? Tone.Quiet : Tone.Plain);
}
