using System.Globalization;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <param name="Server">Null: all servers.</param>
public sealed record MaintenanceWindow(Guid Id, string? Server, DateTimeOffset From, DateTimeOffset To, string Note, DateTimeOffset CreatedAt, string CreatedBy);

public sealed record MaintenanceRequest
{
    /// <summary>Name or id; none: all servers.</summary>
    public string? Server { get; init; }

    /// <summary>Now, if not given.</summary>
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? To { get; init; }

    /// <summary>What is done there.</summary>
    public string? Note { get; init; }
}

public sealed class MaintenanceNotFoundException(Guid id) : Exception($"There is no maintenance window {id}. All of them: msctl alerts maintenance list");

/// <summary>When nobody is notified. Rules go on being evaluated, and what they find is shown.</summary>
public sealed class Maintenance(NpgsqlDataSource database, Servers.Servers servers, TimeProvider time)
{
    private const int LongestNote = 500;
    private const int Most = 10_000;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    // Those that have ended are shown so long.
    private static readonly TimeSpan Shown = TimeSpan.FromDays(30);

    /// <summary>Those that are, will be, or were in the last 30 days, the latest first.</summary>
    public async Task<IReadOnlyList<MaintenanceWindow>> List(CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return await Read("m.to_at > @since", new { since = now - Shown }, cancellationToken);
    }

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<PreparedChange<MaintenanceWindow>> Add(MaintenanceRequest request, string who, CancellationToken cancellationToken = default)
    {
        var errors = new InputErrors();
        var from = request.From ?? time.GetUtcNow();
        var note = (request.Note ?? "").Trim();
        if (request.To is not { } to)
        {
            errors.Add("to", "is needed: when nobody needs to be spared any more");
        }
        else if (to <= from || to <= time.GetUtcNow() || to - from > Longest)
        {
            errors.Add("to", $"must be after from and in the future, and at most {Longest.TotalDays:0} days after from");
        }

        if (note.Length > LongestNote || note.Any(char.IsControl))
        {
            errors.Add("note", $"must be one line of at most {LongestNote} characters");
        }

        errors.ThrowIfAny();
        var server = request.Server is null ? null : await servers.Get(request.Server, cancellationToken);
        var about = server?.Name ?? "all servers";
        return new PreparedChange<MaintenanceWindow>(
            $"keep alerts of {about} quiet", [new("maintenance", null, $"{about}, from {Time(from)} to {Time(request.To!.Value)}")], ct => Keep(server?.Id, from, request.To.Value, note, who, ct))
        {
            Servers = server is null ? [] : [server.Name], Notes = ["Alerts are found and shown all the same. What still fires when it ends is told then."],
        };
    }

    /// <summary>It ends now, or never begins.</summary>
    /// <exception cref="MaintenanceNotFoundException">There is none.</exception>
    public async Task<PreparedChange<Nothing>> End(Guid id, CancellationToken cancellationToken = default)
    {
        var window = (await Read("m.id = @id", new { id }, cancellationToken)).SingleOrDefault() ?? throw new MaintenanceNotFoundException(id);
        return new PreparedChange<Nothing>($"end the maintenance of {window.Server ?? "all servers"}", [new("maintenance", $"from {Time(window.From)} to {Time(window.To)}", null)], async ct =>
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            // What has begun stays to be seen, with the end that it had.
            await connection.ExecuteAsync(
                "delete from alerts.maintenance where id = @id and from_at >= @now; update alerts.maintenance set to_at = @now where id = @id and to_at > @now", new { id, now = time.GetUtcNow().UtcDateTime });
            return Nothing.Value;
        })
        { Servers = window.Server is { } name ? [name] : [] };
    }

    private async Task<MaintenanceWindow> Keep(Guid? server, DateTimeOffset from, DateTimeOffset to, string note, string who, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var kept = await connection.ExecuteAsync(
            """
            insert into alerts.maintenance (id, server_id, from_at, to_at, note, created_by)
            select @id, @server, @from, @to, @note, @who where (select count(*) from alerts.maintenance where to_at > @now) < @Most
            """, new { id, server, from = from.UtcDateTime, to = to.UtcDateTime, note, who, now = time.GetUtcNow().UtcDateTime, Most });
        return kept == 0 ? throw new InvalidInputException("to", $"is one too many: there are {Most} windows to come already")
            : (await Read("m.id = @id", new { id }, cancellationToken)).Single();
    }

    private async Task<IReadOnlyList<MaintenanceWindow>> Read(string condition, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(Guid Id, string? Server, DateTime From, DateTime To, string Note, DateTime CreatedAt, string CreatedBy)>(new CommandDefinition($"""
            select m.id, s.name, m.from_at, m.to_at, m.note, m.created_at, m.created_by from alerts.maintenance m left join servers.server s on s.id = m.server_id
            where {condition} order by m.from_at desc, m.id limit 1000
            """, parameters, cancellationToken: cancellationToken));
        return [.. rows.Select(r => new MaintenanceWindow(r.Id, r.Server, r.From, r.To, r.Note, r.CreatedAt, r.CreatedBy))];
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
