using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Fleet;
using ManagedServers.Workflows.Monitoring;
using Prometheus;
using Metrics = Prometheus.Metrics;

namespace ManagedServers.Api.Hosting;

/// <summary><c>/metrics</c> for Prometheus: the fleet, what this node takes in, and the process itself.</summary>
internal static class FleetMetrics
{
    public const string Path = "/metrics";

    // Shown as nought, too, where there is none.
    private static readonly string[] Heartbeats = ["none", "healthy", "degraded", "silent"];
    private static readonly string[] Severities = ["info", "warning", "critical"];
    private static readonly string[] Sources = ["agent", "monitor"];

    public static void MapFleetMetrics(this WebApplication app)
    {
        var registry = Metrics.NewCustomRegistry();
        var factory = Metrics.WithCustomRegistry(registry);
        DotNetStats.Register(registry);

        var servers = factory.CreateGauge("managed_servers_servers", "Servers by how their heartbeats come; none: nothing is installed.", "heartbeat");
        var drifted = factory.CreateGauge("managed_servers_servers_drifted", "Servers on which something is not as it was asked for.");
        var firing = factory.CreateGauge("managed_servers_alerts_firing", "Alerts that fire now.", "severity");
        var missing = factory.CreateGauge("managed_servers_records_missing", "Records that were numbered by their senders and have not come.", "source");
        var runs = factory.CreateGauge("managed_servers_runs", "Runs that are not over.", "kind", "state");
        var records = factory.CreateCounter("managed_servers_records_total", "Heartbeats and samples that this node has taken in: new, or duplicates of what had been.", "source", "outcome");
        var refused = factory.CreateCounter("managed_servers_reports_refused_total", "Reports of which nothing was stored: broken ones, and those for which there was no room.", "source", "reason");
        registry.AddBeforeCollectCallback(async cancellationToken =>
        {
            var fleet = await app.Services.GetRequiredService<Fleet>().Look(cancellationToken);
            foreach (var status in Heartbeats)
            {
                servers.WithLabels(status).Set(fleet.Servers.GetValueOrDefault(status));
            }

            drifted.Set(fleet.Drifted);
            foreach (var severity in Severities)
            {
                firing.WithLabels(severity).Set(fleet.Firing.GetValueOrDefault(severity));
            }

            foreach (var source in Sources)
            {
                missing.WithLabels(source).Set(fleet.Missing.GetValueOrDefault(source));
            }

            var totals = app.Services.GetRequiredService<Ingestion>().Totals;
            foreach (var ((source, outcome), count) in totals.Records)
            {
                records.WithLabels(source, outcome).IncTo(count);
            }

            foreach (var ((source, reason), count) in totals.Refused)
            {
                refused.WithLabels(source, reason).IncTo(count);
            }

            foreach (var kind in fleet.Runs)
            {
                foreach (var (state, count) in new[] { ("queued", kind.Queued), ("running", kind.Running), ("waiting", kind.Waiting), ("paused", kind.Paused) })
                {
                    runs.WithLabels(kind.Kind, state).Set(count);
                }
            }
        });
        app.MapMetrics(Path, registry).RequireAuthorization(nameof(Right.Read));
    }
}
