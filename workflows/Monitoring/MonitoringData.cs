using System.Data.Common;
using Dapper;

namespace ManagedServers.Workflows.Monitoring;

/// <summary>What was measured belongs to its server and goes with it.</summary>
public sealed class MonitoringData
{
    /// <summary>Deletes everything measured of a server, in the caller's transaction.</summary>
#pragma warning disable CA1822 // An instance, because it is injected like every other part.
    public Task Forget(Guid serverId, DbTransaction transaction, CancellationToken cancellationToken = default) =>
        transaction.Connection!.ExecuteAsync(new CommandDefinition("""
            select pg_advisory_xact_lock(@LockKey); -- what is being packed just now would come back
            delete from monitoring.heartbeat where server_id = @serverId;
            delete from monitoring.heartbeat_hour where server_id = @serverId;
            delete from monitoring.metrics_minute where server_id = @serverId;
            delete from monitoring.metrics_hour where server_id = @serverId;
            delete from monitoring.metrics_day where server_id = @serverId;
            delete from monitoring.dns_hit where server_id = @serverId;
            delete from monitoring.dns_minute where server_id = @serverId;
            delete from monitoring.count_minute where server_id = @serverId;
            delete from monitoring.dhcp_subnet where server_id = @serverId;
            delete from monitoring.dns_name where server_id = @serverId;
            delete from monitoring.dns_state where server_id = @serverId;
            delete from monitoring.source where server_id = @serverId;
            """, new { serverId, Compaction.LockKey }, transaction, cancellationToken: cancellationToken));
#pragma warning restore CA1822
}
