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
            delete from monitoring.heartbeat where server_id = @serverId;
            delete from monitoring.dns_hit where server_id = @serverId;
            delete from monitoring.dns_minute where server_id = @serverId;
            delete from monitoring.dns_response where server_id = @serverId;
            delete from monitoring.dns_name where server_id = @serverId;
            delete from monitoring.dns_state where server_id = @serverId;
            delete from monitoring.source where server_id = @serverId;
            """, new { serverId }, transaction, cancellationToken: cancellationToken));
#pragma warning restore CA1822
}
