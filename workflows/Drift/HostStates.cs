using System.Globalization;
using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Drift;

/// <summary>
/// What the agents of hosts without a login say that really runs there, the latest of each. Only what was seen after the last run on the host had ended is kept: what was
/// seen before, or while it was at work, is no drift. Not by clocks: the product's word for that end comes back with what was seen after the agent had heard it.
/// </summary>
public sealed class HostStates(NpgsqlDataSource database, Servers.Servers servers, IRuns runs, TimeProvider time)
{
    // An agent says it every minute.
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    // Of runs that wait one may end after a later one was cancelled.
    private const int RunsLookedAt = 50;

    /// <param name="serverId">The server whose token came with the report.</param>
    /// <exception cref="InvalidInputException">A field breaks its rule; nothing was kept.</exception>
    public async Task<HostStateAnswer> Take(Guid serverId, HostStateReport report, CancellationToken cancellationToken = default)
    {
        var isState = report.Check() is not null;
        var server = await servers.Get(serverId.ToString(), cancellationToken);
        if (server.Installation != InstallationType.Manual)
        {
            return new HostStateAnswer(null);
        }

        var asOf = AsOf(await LastEnd(server, cancellationToken));
        if (isState && report.AsOf == asOf)
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await connection.ExecuteAsync(
                """
                insert into servers.host_state (server_id, at, as_of, document) values (@serverId, @now, @asOf, @document::jsonb)
                on conflict (server_id) do update set at = excluded.at, as_of = excluded.as_of, document = excluded.document
                """, new { serverId, now = time.GetUtcNow(), asOf, document = JsonSerializer.Serialize(report, EngineJson.Options) });
        }

        return new HostStateAnswer(asOf);
    }

    /// <summary>What the server's host has said; null where it has said nothing since a run there has ended a moment ago.</summary>
    /// <exception cref="HostUnavailableException">It has said nothing for long.</exception>
    internal async Task<HostState?> Of(Server server, CancellationToken cancellationToken)
    {
        var end = await LastEnd(server, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<Row>("select at, as_of, document::text as document from servers.host_state where server_id = @Id", new { server.Id });
        var now = time.GetUtcNow();
        if (row is not null && row.AsOf == AsOf(end) && now - row.At <= Patience)
        {
            return JsonSerializer.Deserialize<HostStateReport>(row.Document, EngineJson.Options)!.Check();
        }

        if (now - end <= Patience)
        {
            return null;
        }

        throw new HostUnavailableException(HostProblem.Unreachable, row is null
            ? $"The host of {server.Name} has never said what runs there, and the product has no login to look. An agent of an earlier release does not say it: order a new one (msctl drift reapply {server.Argument}) and run the line on the host."
            : string.Create(CultureInfo.InvariantCulture, $"The host of {server.Name} has last said at {row.At:yyyy-MM-dd HH:mm} UTC what runs there, and the product has no login to look. See that the host is up, reaches the product, and runs its agent: python3 {server.Login.Folder}/agent/agent.py status"));
    }

    private async Task<DateTimeOffset?> LastEnd(Server server, CancellationToken cancellationToken) => (await runs.List(
        new RunFilter { Subject = server.Subject, States = [RunState.Succeeded, RunState.Failed, RunState.Cancelled], Limit = RunsLookedAt }, cancellationToken)).Max(r => r.FinishedAt);

    private static string AsOf(DateTimeOffset? end) => end?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) ?? "new";

    private sealed record Row(DateTime At, string AsOf, string Document);
}
