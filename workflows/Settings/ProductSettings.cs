using System.Text.Json.Nodes;
using Dapper;
using Npgsql;

namespace ManagedServers.Workflows.Settings;

/// <summary>A module's settings as they are, or were.</summary>
/// <param name="Module">Its name.</param>
/// <param name="Version">Counts the changes; 0: as it comes with the product.</param>
/// <param name="Value">All members.</param>
/// <param name="ChangedAt">Null for version 0.</param>
/// <param name="ChangedBy">Null for version 0.</param>
public sealed record StoredSettings(string Module, long Version, JsonNode Value, DateTimeOffset? ChangedAt, string? ChangedBy);

/// <summary>There is no such module.</summary>
public sealed class SettingsNotFoundException(string module, IEnumerable<string> known)
    : Exception($"There are no settings called '{module}'. There are: {string.Join(", ", known)}.");

/// <summary>Somebody else has changed them meanwhile.</summary>
public sealed class SettingsConflictException(StoredSettings now)
    : Exception($"Nothing was changed: the settings '{now.Module}' are of version {now.Version} now, changed by {now.ChangedBy}. Look at them again, and then change what is still to be changed.");

/// <summary>What operators set for the whole product, module by module; every change is kept.</summary>
public sealed class ProductSettings(NpgsqlDataSource database, IEnumerable<SettingsModule> modules)
{
    private const int MostHistory = 100;
    private readonly SortedDictionary<string, SettingsModule> known = new(modules.ToDictionary(m => m.Name), StringComparer.Ordinal);

    /// <summary>Something was changed on this node.</summary>
    public event Action? Changed;

    public IEnumerable<SettingsModule> Modules => known.Values;

    public async Task<StoredSettings> Get(string module, CancellationToken cancellationToken = default) => (await History(Known(module), 1, cancellationToken))[0];

    /// <summary>The newest first; the last is how it came with the product, unless there are too many.</summary>
    public Task<IReadOnlyList<StoredSettings>> History(string module, CancellationToken cancellationToken = default) => History(Known(module), MostHistory, cancellationToken);

    /// <summary>Those that hold now.</summary>
    public async Task<T> Read<T>(SettingsModule<T> module, CancellationToken cancellationToken = default) where T : class, new() =>
        SettingsModule<T>.Parse((await Get(module.Name, cancellationToken)).Value);

    /// <param name="module">Its name.</param>
    /// <param name="patch">What is to be another: a JSON merge patch (RFC 7396). A null takes a member back to what it is at first.</param>
    /// <param name="version">That which was looked at; null: whatever it is now.</param>
    /// <param name="who">For the history.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidInputException">A member breaks its rule; nothing was changed.</exception>
    /// <exception cref="SettingsConflictException">They are of another version.</exception>
    public async Task<PreparedChange<StoredSettings>> Change(string module, JsonNode? patch, long? version, string who, CancellationToken cancellationToken = default)
    {
        var about = Known(module);
        var (now, value) = await Wanted(about, patch, version, cancellationToken);
        var (before, after) = (Members(now.Value).ToDictionary(), Members(value).ToDictionary());
        return new PreparedChange<StoredSettings>(
            $"change the settings {module}", StoredChange.Of(before.Keys.Union(after.Keys).Select(m => new StoredChange(m, before.GetValueOrDefault(m), after.GetValueOrDefault(m)))), ct => Keep(about, patch, version, who, ct))
        {
            OnHosts = "Agents and monitors hold to it from their next report on.",
        };
    }

    private async Task<StoredSettings> Keep(SettingsModule about, JsonNode? patch, long? version, string who, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (now, value) = await Wanted(about, patch, version, cancellationToken);
            if (JsonNode.DeepEquals(value, now.Value))
            {
                return now;
            }

            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            var written = await connection.ExecuteAsync(
                "insert into settings.module (name, version, value, changed_by) values (@Name, @next, @value::jsonb, @who) on conflict do nothing",
                new { about.Name, next = now.Version + 1, value = value.ToJsonString(), who });
            if (written == 1)
            {
                Changed?.Invoke();
                return await Get(about.Name, cancellationToken);
            }
        }
    }

    /// <summary>What there is, and what there would be.</summary>
    private async Task<(StoredSettings Now, JsonNode Value)> Wanted(SettingsModule about, JsonNode? patch, long? version, CancellationToken cancellationToken)
    {
        var now = await Get(about.Name, cancellationToken);
        if (version is { } seen && seen != now.Version)
        {
            throw new SettingsConflictException(now);
        }

        return (now, about.Checked(patch is JsonObject changes ? Merge(now.Value.DeepClone(), changes) : throw new InvalidInputException("body", "must be an object with the members to change")));
    }

    private static IEnumerable<KeyValuePair<string, string?>> Members(JsonNode value, string before = "") => value.AsObject().SelectMany(member =>
        member.Value is JsonObject inner ? Members(inner, $"{before}{member.Key}.") : [KeyValuePair.Create(before + member.Key, member.Value?.ToJsonString())]);

    private async Task<IReadOnlyList<StoredSettings>> History(SettingsModule module, int most, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long Version, string Value, DateTime At, string Who)>(new CommandDefinition(
            "select version, value::text, changed_at, changed_by from settings.module where name = @Name order by version desc limit @most", new { module.Name, most }, cancellationToken: cancellationToken));
        var initial = module.Initial;
        // What a former version of the product has stored lacks the members that came later.
        var stored = rows.Select(r => new StoredSettings(module.Name, r.Version, Merge(initial.DeepClone(), JsonNode.Parse(r.Value)!.AsObject()), r.At, r.Who)).ToList();
        return stored.Count < most ? [.. stored, new StoredSettings(module.Name, 0, initial, null, null)] : stored;
    }

    private SettingsModule Known(string name) => known.TryGetValue(name, out var module) ? module : throw new SettingsNotFoundException(name, known.Keys);

    private static JsonNode Merge(JsonNode target, JsonObject patch)
    {
        var into = target as JsonObject ?? [];
        foreach (var (name, change) in patch)
        {
            if (change is null)
            {
                into.Remove(name);
            }
            else
            {
                into[name] = change is JsonObject inner ? Merge(into[name]?.DeepClone() ?? new JsonObject(), inner) : change.DeepClone();
            }
        }

        return into;
    }
}
