using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>How each node stands to the broker, told by itself.</summary>
public sealed class RabbitMqNodes(NpgsqlDataSource database, RabbitMqOptions options)
{
    // A node that has not said anything for so many of its turns has ended.
    private const int TurnsMissed = 12;

    internal async Task Tell(RabbitMqState state, string? reason, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            insert into settings.rabbitmq_node as n (node, state, reason, since, seen_at) values (@Node, @state, @reason, now(), now())
            on conflict (node) do update set state = excluded.state, reason = excluded.reason, seen_at = now(),
                since = case when (n.state, n.reason) is not distinct from (excluded.state, excluded.reason) then n.since else now() end
            """, new { options.Node, state = state.ToString(), reason });
    }

    internal async Task<IReadOnlyList<RabbitMqNode>> List(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string Node, string State, string? Reason, DateTime Since)>(
            "select node, state, reason, since from settings.rabbitmq_node where seen_at > now() - @patience order by node", new { patience = TurnsMissed * options.Turn });
        return [.. rows.Select(r => new RabbitMqNode(r.Node, Enum.Parse<RabbitMqState>(r.State), r.Reason, r.Since))];
    }

    internal async Task Forget(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from settings.rabbitmq_node where node = @Node", new { options.Node });
    }
}
