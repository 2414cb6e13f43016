using System.Text.Json;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.Alerts;

/// <summary>The stored channels; their secrets are encrypted, and never given out.</summary>
public sealed class AlertChannels(NpgsqlDataSource database, Secrets secrets)
{
    internal const string Purpose = "alerts.channel";
    private const int Most = 100;

    /// <summary>All, in the order of their names.</summary>
    public async Task<IReadOnlyList<AlertChannel>> List(CancellationToken cancellationToken = default) => await Read("true", null, cancellationToken);

    /// <exception cref="ChannelNotFoundException">There is none.</exception>
    public async Task<AlertChannel> Get(string idOrName, CancellationToken cancellationToken = default) => await Find(idOrName, cancellationToken) ?? throw new ChannelNotFoundException(idOrName);

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public async Task<PreparedChange<AlertChannel>> Add(ChannelRequest request, string who, CancellationToken cancellationToken = default)
    {
        var channel = ChannelChecks.Merge(request, null);
        await RefuseTaken(channel, cancellationToken);
        if ((await List(cancellationToken)).Count >= Most)
        {
            throw new InvalidInputException("name", $"is one too many: there are {Most} channels already");
        }

        return new PreparedChange<AlertChannel>($"add the channel '{channel.Name}'", Changes(null, channel), ct => Keep(channel, isNew: true, who, ct))
        {
            Notes = ["What fires already is not told to it. To try it: msctl alerts channels test NAME"],
        };
    }

    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="ChannelNotFoundException">There is none.</exception>
    public async Task<PreparedChange<AlertChannel>> Edit(string idOrName, ChannelRequest request, string who, CancellationToken cancellationToken = default)
    {
        var before = await Get(idOrName, cancellationToken);
        var channel = ChannelChecks.Merge(request, before);
        await RefuseTaken(channel, cancellationToken);
        return new PreparedChange<AlertChannel>($"change the channel '{before.Name}'", Changes(before, channel), ct => Keep(channel, isNew: false, who, ct))
        {
            Notes = ["Messages that are still being tried go the new way."],
        };
    }

    /// <exception cref="ChannelNotFoundException">There is none.</exception>
    public async Task<PreparedChange<Nothing>> Remove(string idOrName, CancellationToken cancellationToken = default)
    {
        var channel = await Get(idOrName, cancellationToken);
        return new PreparedChange<Nothing>($"remove the channel '{channel.Name}'", [new("channel", $"'{channel.Name}', with its secrets", null)], async ct =>
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            await connection.ExecuteAsync("delete from alerts.channel where id = @Id", new { channel.Id });
            return Nothing.Value;
        })
        { Notes = ["Messages that are still being tried are not sent any more."] };
    }

    internal async Task<AlertChannel?> Find(string idOrName, CancellationToken cancellationToken)
    {
        var id = Guid.TryParse(idOrName, out var parsed) ? parsed : Guid.Empty;
        return (await Read("id = @id or lower(name) = lower(@name)", new { id, name = idOrName.Replace("\0", "", StringComparison.Ordinal).Trim() }, cancellationToken)).SingleOrDefault();
    }

    private async Task<IReadOnlyList<AlertChannel>> Read(string condition, object? parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(Guid Id, string Name, bool Enabled, string Kind, string Severity, string Settings, string? Secret, DateTime ChangedAt, string ChangedBy)>(new CommandDefinition(
            $"select id, name, enabled, kind, severity, settings::text, secret, changed_at, changed_by from alerts.channel where {condition} order by lower(name)", parameters, cancellationToken: cancellationToken));
        return [.. rows.Select(r =>
        {
            var kept = r.Secret is null ? new ChannelSecrets() : JsonSerializer.Deserialize<ChannelSecrets>(secrets.Unprotect(Purpose, r.Id, r.Secret), EngineJson.Options)!;
            return new AlertChannel
            {
                Id = r.Id, Name = r.Name, Enabled = r.Enabled, Kind = AlertWords.Parse<ChannelKind>(r.Kind), Severity = AlertWords.Parse<AlertSeverity>(r.Severity),
                Settings = JsonSerializer.Deserialize<ChannelSettings>(r.Settings, EngineJson.Options)!, Secrets = kept, HasSecret = (kept.Key ?? kept.Password) is not null,
                ChangedAt = r.ChangedAt, ChangedBy = r.ChangedBy,
            };
        })];
    }

    private async Task<AlertChannel> Keep(AlertChannel channel, bool isNew, string who, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var kept = await connection.ExecuteAsync(isNew
                ? """
                  insert into alerts.channel (id, name, enabled, kind, severity, settings, secret, changed_by) values (@Id, @Name, @Enabled, @kind, @severity, @settings::jsonb, @secret, @who)
                  """
                : """
                  update alerts.channel set name = @Name, enabled = @Enabled, severity = @severity, settings = @settings::jsonb, secret = @secret, changed_at = now(), changed_by = @who
                  where id = @Id and kind = @kind
                  """,
                new
                {
                    channel.Id, channel.Name, channel.Enabled, kind = AlertWords.Of(channel.Kind), severity = AlertWords.Of(channel.Severity),
                    settings = JsonSerializer.Serialize(channel.Settings, EngineJson.Options), secret = Protect(channel), who,
                });
            return kept == 1 ? await Get(channel.Id.ToString(), cancellationToken) : throw new ChannelNotFoundException(channel.Name);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw Taken(channel.Name);
        }
    }

    private string? Protect(AlertChannel channel) =>
        channel.Secrets == new ChannelSecrets() ? null : secrets.Protect(Purpose, channel.Id, JsonSerializer.Serialize(channel.Secrets, EngineJson.Options));

    private async Task RefuseTaken(AlertChannel channel, CancellationToken cancellationToken)
    {
        if (await Find(channel.Name, cancellationToken) is { } same && same.Id != channel.Id)
        {
            throw Taken(same.Name);
        }
    }

    private static InvalidInputException Taken(string name) => new("name", $"must be unique, and there is a channel called '{name}' already");

    private static IReadOnlyList<StoredChange> Changes(AlertChannel? before, AlertChannel after) => StoredChange.Of(
        new("name", before is null ? null : $"'{before.Name}'", $"'{after.Name}'"),
        new("enabled", before is null ? null : before.Enabled ? "yes" : "no", after.Enabled ? "yes" : "no"),
        new("told from the severity", before is null ? null : AlertWords.Of(before.Severity), AlertWords.Of(after.Severity)),
        new("way", before is null ? null : Way(before), Way(after)),
        before is not null && before.Secrets.Url != after.Secrets.Url && before.Settings.Origin == after.Settings.Origin ? new("path of the address", null, "another one") : null,
        new("authority", before?.Settings.Authority is null ? before is null ? null : "the system's" : "its own", after.Settings.Authority is null ? "the system's" : before is not null && before.Settings.Authority != after.Settings.Authority ? "another one" : "its own"),
        before?.Secrets.Key == after.Secrets.Key ? null : new("signed with", before?.Secrets.Key is null ? null : "a secret", after.Secrets.Key is null ? null : "another secret"),
        before?.Secrets.Password == after.Secrets.Password ? null : new("password", null, after.Secrets.Password is null ? null : "another one"));

    private static string Way(AlertChannel channel) => channel.Kind switch
    {
        ChannelKind.Webhook => $"POST to {channel.Settings.Origin}",
        ChannelKind.Email => $"mail from {channel.Settings.From} to {string.Join(", ", channel.Settings.To ?? [])} over {channel.Settings.Host}:{channel.Settings.Port} ({AlertWords.Of(channel.Settings.Security ?? MailSecurity.None)}){(channel.Settings.User is null ? "" : $" as {channel.Settings.User}")}",
        _ => $"RabbitMQ, with the key {channel.Settings.RoutingKey}",
    };
}
