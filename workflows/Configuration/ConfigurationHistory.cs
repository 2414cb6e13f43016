using System.Text;
using System.Text.Json;
using DiffPlex.Renderer;
using ManagedServers.Workflows.Provisioning;

namespace ManagedServers.Workflows.Configuration;

/// <summary>A version with what it asks for.</summary>
/// <param name="Dns">Null for another component.</param>
/// <param name="Dhcp">Kea's document; null for another component.</param>
public sealed record ConfigurationView(ConfigurationVersion Version, DnsConfiguration? Dns, JsonElement? Dhcp);

/// <summary>What is different between two versions.</summary>
/// <param name="Changes">One for each zone, document or group of settings that is not the same.</param>
public sealed record ConfigurationDiff(int From, int To, IReadOnlyList<ConfigurationChange> Changes);

/// <param name="What"><c>example.org</c>, <c>example.org settings</c>, <c>settings</c> or <c>dhcp</c>.</param>
/// <param name="Diff">Unified, as <c>diff -u</c> writes it.</param>
public sealed record ConfigurationChange(string What, string Diff);

/// <summary>Shows what servers are and were asked to serve.</summary>
public sealed class ConfigurationHistory(Servers.Servers servers, Configurations configurations)
{
    private static readonly JsonSerializerOptions Readable = new(Engine.EngineJson.Options) { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What each component serves.</summary>
    /// <exception cref="Servers.ServerNotFoundException">There is no such server.</exception>
    public async Task<IReadOnlyList<ConfigurationView>> Current(string idOrName, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        List<ConfigurationView> all = [];
        foreach (var component in Component.Serving)
        {
            if (await configurations.Current(server.Id, component, cancellationToken) is { } current)
            {
                all.Add(View(current));
            }
        }

        return all;
    }

    public async Task<IReadOnlyList<ConfigurationVersion>> Versions(string idOrName, string? component, int? before, int limit, CancellationToken cancellationToken = default) =>
        await configurations.List((await servers.Get(idOrName, cancellationToken)).Id, component is null ? null : Known(component), before, limit, cancellationToken);

    /// <exception cref="ConfigurationNotFoundException">There is no such version.</exception>
    public async Task<ConfigurationView> Version(string idOrName, string component, int version, CancellationToken cancellationToken = default) =>
        View(await configurations.Version(await servers.Get(idOrName, cancellationToken), Known(component), version, cancellationToken));

    /// <exception cref="ConfigurationNotFoundException">There is no such version.</exception>
    public async Task<ConfigurationDiff> Diff(string idOrName, string component, int from, int to, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        var before = (await configurations.Version(server, Known(component), from, cancellationToken)).Configuration;
        var after = (await configurations.Version(server, component, to, cancellationToken)).Configuration;
        var (old, new_) = (Texts(before, null), Texts(after, before));
        return new ConfigurationDiff(from, to, [.. old.Keys.Union(new_.Keys)
            .Where(what => old.GetValueOrDefault(what) != new_.GetValueOrDefault(what))
            .Order(StringComparer.Ordinal)
            .Select(what => new ConfigurationChange(what, Unified(what, from, old.GetValueOrDefault(what), to, new_.GetValueOrDefault(what))))]);
    }

    private static ConfigurationView View(StoredConfiguration stored) =>
        new(stored.Version, stored.Configuration.Dns?.WithoutSecrets(), stored.Configuration.Dns is null ? stored.Configuration.Document : null);

    /// <param name="other">What it is compared with: a secret that is another one there shows as such, and nothing of it.</param>
    private static Dictionary<string, string> Texts(ComponentConfiguration configuration, ComponentConfiguration? other)
    {
        if (configuration.Dns is not { } dns)
        {
            return new() { [Component.Dhcp] = JsonSerializer.Serialize(configuration.Document, Readable) };
        }

        var texts = dns.Zones.Where(z => !z.IsSecondary).ToDictionary(z => z.Name, z => z.File!.ReplaceLineEndings("\n"));
        foreach (var zone in dns.Zones.Where(z => z.Settings is not null))
        {
            texts[$"{zone.Name} settings"] = JsonSerializer.Serialize(zone with { File = null }, Readable);
        }

        var known = other?.Dns?.Keys.ToDictionary(k => k.Name!, k => k.Secret) ?? [];
        texts["settings"] = JsonSerializer.Serialize(dns with
        {
            Zones = [], Keys = [.. dns.Keys.Select(k => k with { Secret = known.TryGetValue(k.Name!, out var secret) && secret != k.Secret ? "not shown; another one" : "not shown" })],
        }, Readable);
        return texts;
    }

    private static string Unified(string what, int from, string? old, int to, string? new_)
    {
        var diff = UnidiffRenderer.GenerateUnidiff(old ?? "", new_ ?? "", old is null ? "/dev/null" : $"{what} (version {from})", new_ is null ? "/dev/null" : $"{what} (version {to})", ignoreWhitespace: false, ignoreCase: false, contextLines: 3);
        return new StringBuilder(diff).Replace("\r\n", "\n").ToString().TrimEnd('\n', ' ') + "\n";
    }

    private static string Known(string component) => Component.Serving.Contains(component) ? component
        : throw new InvalidInputException("component", $"must be {string.Join(" or ", Component.Serving)}");
}
