using Dapper;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Drift;

/// <summary>What was found on hosts, kept per server.</summary>
public sealed class DriftFindings(NpgsqlDataSource database)
{
    /// <summary>Of one server.</summary>
    public async Task<ServerDrift> Of(Servers.Server server, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var check = await connection.QuerySingleOrDefaultAsync<CheckRow>("select server_id, at, problem from servers.drift_check where server_id = @Id", new { server.Id });
        var findings = await connection.QueryAsync<DriftRow>("select * from servers.drift where server_id = @Id order by component, kind, subject", new { server.Id });
        return new ServerDrift(server.Id, server.Name, check?.At, check?.Problem, [.. findings.Select(f => f.Finding(server.Installation))]);
    }

    /// <summary>All servers about which there is something to say, by name.</summary>
    public async Task<IReadOnlyList<ServerDrift>> List(CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var findings = (await connection.QueryAsync<DriftRow>("select * from servers.drift order by component, kind, subject")).ToLookup(f => f.ServerId);
        var servers = await connection.QueryAsync<(Guid Id, string Name, string Installation, DateTime? At, string? Problem)>(
            """
            select s.id, s.name, s.installation, c.at, c.problem from servers.server s left join servers.drift_check c on c.server_id = s.id
            where c.problem is not null or exists (select from servers.drift d where d.server_id = s.id) order by lower(s.name)
            """);
        return [.. servers.Select(s => new ServerDrift(s.Id, s.Name, s.At, s.Problem, [.. findings[s.Id].Select(f => f.Finding(Enum.Parse<InstallationType>(s.Installation, ignoreCase: true)))]))];
    }

    /// <summary>How many findings each of these servers has, the first of them, and why its host could not be looked at; without those at which nobody has looked.</summary>
    public async Task<IReadOnlyDictionary<Guid, (int Count, string? First, string? Problem)>> Summary(IReadOnlyCollection<Guid> servers, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<(Guid Id, int Count, string? First, string? Problem)>(
            """
            select c.server_id, count(d.what)::int, min(d.what), c.problem from servers.drift_check c left join servers.drift d on d.server_id = c.server_id
            where c.server_id = any(@servers) group by c.server_id
            """, new { servers = servers.ToArray() })).ToDictionary(s => s.Id, s => (s.Count, s.First, s.Problem));
    }

    /// <summary>What a look has found, in place of what was found before. What is still so keeps its time.</summary>
    internal async Task Keep(Guid serverId, IReadOnlyList<DriftFinding> found, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(
            "insert into servers.drift_check (server_id) values (@serverId) on conflict (server_id) do update set at = now(), problem = null", new { serverId }, transaction);
        await connection.ExecuteAsync(
            """
            with found as (select * from unnest(@components, @kinds, @subjects, @whats) as f (component, kind, subject, what)),
                 gone as (delete from servers.drift d where server_id = @serverId and not exists (
                     select from found f where f.component = d.component and f.kind = d.kind and f.subject = d.subject))
            insert into servers.drift (server_id, component, kind, subject, what) select @serverId, * from found
            on conflict (server_id, component, kind, subject) do update set what = excluded.what
            """,
            new
            {
                serverId, components = found.Select(f => f.Component).ToArray(), kinds = found.Select(f => f.Kind.ToString().ToLowerInvariant()).ToArray(),
                subjects = found.Select(f => f.Subject).ToArray(), whats = found.Select(f => f.What).ToArray(),
            }, transaction);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The host could not be looked at: what was found before stays.</summary>
    internal async Task KeepProblem(Guid serverId, string problem, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            "insert into servers.drift_check (server_id, problem) values (@serverId, @problem) on conflict (server_id) do update set at = now(), problem = excluded.problem", new { serverId, problem });
    }

    private sealed record CheckRow(Guid ServerId, DateTime At, string? Problem);

    private sealed record DriftRow(Guid ServerId, string Component, string Kind, string Subject, string What, DateTime Since)
    {
        /// <summary>What cannot be read cannot be accepted: of a host without a login the product knows the digests alone.</summary>
        public DriftFinding Finding(InstallationType installation)
        {
            var finding = new DriftFinding(Component, Enum.Parse<DriftKind>(Kind, ignoreCase: true), Subject, What) { Since = Since };
            return finding with { CanBeAccepted = finding.CanBeAccepted && installation == InstallationType.Automatic };
        }
    }
}
