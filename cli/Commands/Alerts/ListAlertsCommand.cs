using System.CommandLine;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Alerts;

/// <summary>What fires, and how servers do.</summary>
internal static class ListAlertsCommand
{
    private static readonly Option<string?> State = new Option<string?>("--state") { Description = "Only these; those that are not over if not given.", HelpName = "pending|firing|resolved" }.AcceptOnlyFromAmong("pending", "firing", "resolved");
    private static readonly Option<string?> Server = new("--server") { Description = "Only of this server.", HelpName = "NAME" };
    private static readonly Option<string?> Health = new("--state") { Description = "Only servers in this state: healthy, collectorSilent, degraded, twoAgents, componentDown, dockerDead, unreachable or agentSilent.", HelpName = "STATE" };

    public static DocumentedCommand Build() => new DocumentedCommand("list", "List alerts, the newest first.")
    {
        Notes = ["A pending one has not lasted long enough to fire. Within maintenance alerts are found and shown, and told to nobody."],
        Examples = ["msctl alerts list", "msctl alerts list --server ns1 --state resolved", "msctl alerts list -o json"],
    }.With(State, Server).Does(async (call, cancellationToken) =>
    {
        var alerts = await Pages.All(before => call.Product.Alerts.List(call.Get(State), call.Get(Server), before, cancellationToken), limit: 1000);
        if (call.Json)
        {
            call.Screen.Json(alerts.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("SINCE", Fit.Whole), ("STATE", Fit.Whole), ("SEVERITY", Fit.Whole), ("SERVER", Fit.Whole), ("RULE", Fit.Whole), ("WHAT", Fit.MayShrink));
        foreach (var alert in alerts.Value)
        {
            var quiet = alert.MaintenanceUntil is not null && alert.State != "resolved" ? ", maintenance" : "";
            table.Row(Words.Ago(alert.Since, call.Now), AlertTexts.State(alert.State) with { Text = alert.State + quiet }, AlertTexts.Severity(alert.Severity), new Cell(alert.Server, Tone.Strong), alert.Rule, alert.Summary);
        }

        table.Write(call.Screen, "No alerts.");
        return ExitCode.Done;
    });

    public static DocumentedCommand HealthOf() => new DocumentedCommand("health", "List servers with the state that heartbeats, Docker and DNS statistics tell together.")
    {
        Examples = ["msctl alerts health", "msctl alerts health --state agentSilent"],
    }.With(Health).Does(async (call, cancellationToken) =>
    {
        var servers = await Pages.All(after => call.Product.Alerts.Health(call.Get(Health), after, cancellationToken));
        if (call.Json)
        {
            call.Screen.Json(servers.Json);
            return ExitCode.Done;
        }

        var table = new TextTable(("SERVER", Fit.Whole), ("STATE", Fit.Whole), ("LAST BEAT", Fit.Whole), ("ALERTS", Fit.Whole), ("WHY", Fit.MayShrink));
        foreach (var server in servers.Value)
        {
            var tone = server.State switch { "healthy" => Tone.Good, "degraded" or "twoAgents" or "collectorSilent" or "agentSilent" => Tone.Warning, _ => Tone.Bad };
            table.Row(
                new Cell(server.Server, Tone.Strong), new Cell(server.State, tone), Words.Ago(server.LastHeartbeatAt, call.Now),
                $"{server.Firing} firing{(server.Pending > 0 ? $", {server.Pending} pending" : "")}{(server.MaintenanceUntil is null ? "" : ", maintenance")}", server.Reason);
        }

        table.Write(call.Screen, "No server is like that.");
        return ExitCode.Done;
    });
}
