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
    private static readonly string[] Sources = ["agent", "monitor"];

    public static void MapFleetMetrics(this WebApplication app)
    {
        var registry = Metrics.NewCustomRegistry();
        var factory = Metrics.WithCustomRegistry(registry);
        DotNetStats.Register(registry);
        // A counter that rests is not one that has gone: it stays as long as its library allows.
        var ofProcess = MeterAdapter.StartListening(new MeterAdapterOptions { MetricFactory = factory, InstrumentFilterPredicate = i => i.Meter.Name == IntakeMeter.Name, MetricsExpireAfter = TimeSpan.FromDays(1) });
        app.Lifetime.ApplicationStopped.Register(ofProcess.Dispose);

        var servers = factory.CreateGauge("managed_servers_servers", "Servers by how their heartbeats come; none: nothing is installed.", "heartbeat");
        var drifted = factory.CreateGauge("managed_servers_servers_drifted", "Servers on which something is not as it was asked for.");
        var missing = factory.CreateGauge("managed_servers_records_missing", "Records that were numbered by their senders and have not come.", "source");
        var runs = factory.CreateGauge("managed_servers_runs", "Runs that are not over.", "kind", "state");
        registry.AddBeforeCollectCallback(async cancellationToken =>
        {
            var fleet = await app.Services.GetRequiredService<Fleet>().Look(cancellationToken);
            foreach (var status in Heartbeats)
            {
                servers.WithLabels(status).Set(fleet.Servers.GetValueOrDefault(status));
            }

            drifted.Set(fleet.Drifted);
            foreach (var source in Sources)
            {
                missing.WithLabels(source).Set(fleet.Missing.GetValueOrDefault(source));
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
