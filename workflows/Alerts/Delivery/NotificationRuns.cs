using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <summary>Starts the run of every message that has none: after its evaluation, and after a node died between the two.</summary>
public sealed class NotificationRuns(NpgsqlDataSource database, IRuns runs)
{
    private const int AtOnce = 200;

    /// <returns>How many were started.</returns>
    public async Task<int> Start(CancellationToken cancellationToken = default)
    {
        List<(Guid Id, Guid ChannelId, string Channel, string Content)> waiting;
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            waiting = (await connection.QueryAsync<(Guid, Guid, string, string)>(new CommandDefinition("""
                select n.id, n.channel_id, c.name, n.content::text from alerts.notification n join alerts.channel c on c.id = n.channel_id
                where n.run_id is null order by n.created_at, n.batch limit @AtOnce
                """, new { AtOnce }, cancellationToken: cancellationToken))).AsList();
        }

        foreach (var (id, channelId, channel, content) in waiting)
        {
            var about = JsonSerializer.Deserialize<NotificationContent>(content, EngineJson.Options)!.Subject();
            // The key makes it one run, whoever else starts it at this moment.
            await runs.Start<NotifyWorkflow, NotifyInput>(
                new NotifyInput(id, channelId, channel, about), new StartRun { RequestedBy = "product", Subject = $"alert-channel:{channelId}", DedupeKey = $"notification/{id}", Priority = RunPriority.High },
                (transaction, run) => transaction.Connection!.ExecuteAsync("update alerts.notification set run_id = @run where id = @id", new { run, id }, transaction), cancellationToken);
        }

        return waiting.Count;
    }
}
