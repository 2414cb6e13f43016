using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;

namespace ManagedServers.Cli.Commands.Config;

/// <summary>How `install` and `config apply` are told of zones. What they mean is for the product to judge; here only the form is.</summary>
internal static class ZoneOptions
{
    private static readonly string[] Members = ["file", "records", "soa", "ttl", "primaries", "notify", "allowTransfer", "dnssec"];

    private static readonly Option<string[]> Zones = new("--zone") { Description = "Serve this zone from this zone file, or as FILE.json says. May be given again.", HelpName = "NAME=FILE" };
    private static readonly Option<string[]> Secondaries = new("--secondary") { Description = "Serve this zone as a secondary of these servers, with the name of a key where they want one. May be given again.", HelpName = "NAME=ADDR[:PORT][/KEY],…" };
    private static readonly Option<string[]> Signed = new("--dnssec") { Description = "Sign this zone (DNSSEC). May be given again.", HelpName = "NAME" };
    private static readonly Option<string[]> Unsigned = new("--no-dnssec") { Description = "Sign this zone no longer; with --drop-dnssec. May be given again.", HelpName = "NAME" };
    private static readonly Option<bool> DropDnssec = new("--drop-dnssec") { Description = "Zones that are signed now need be so no longer: their parents have no DS any more." };
    private static readonly Option<string[]> Keys = new("--tsig-key") { Description = "A key that a zone names, from a file with ALGORITHM:NAME:SECRET. May be given again.", HelpName = "FILE" };

    public static IReadOnlyList<Option> All => [Zones, Secondaries, Signed, Unsigned, DropDnssec, Keys];

    /// <summary>Null when none was named.</summary>
    public static IReadOnlyList<Zone>? Named(Invocation call)
    {
        List<Zone> zones = [.. (call.Get(Zones) ?? []).Select(OfFile), .. (call.Get(Secondaries) ?? []).Select(Secondary)];
        Sign(zones, call.Get(Signed) ?? [], true);
        Sign(zones, call.Get(Unsigned) ?? [], false);
        return zones.Count > 0 ? zones : null;
    }

    public static IReadOnlyList<TsigKey>? NamedKeys(Invocation call) => call.Get(Keys) is { Length: > 0 } files ? [.. files.Select(Key)] : null;

    public static bool? MayDropDnssec(Invocation call) => call.Get(DropDnssec) ? true : null;

    private static Zone OfFile(string text)
    {
        var (name, path) = InstallInput.Pair(text, "--zone", "NAME=FILE");
        var contents = InstallInput.Read(path, $"The zone file of {name}");
        return path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? OfJson(name, path, contents) : new Zone(name, contents);
    }

    private static Zone OfJson(string name, string path, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var root = document.RootElement.Clone();
            if (root.ValueKind == JsonValueKind.Array)
            {
                return new Zone(name, null) { Records = root };
            }

            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new JsonException("It is no object.");
            }

            if (root.EnumerateObject().Select(m => m.Name).Except([.. Members, "name"]).FirstOrDefault() is { } unknown)
            {
                throw new JsonException($"'{unknown}' is not among {string.Join(", ", Members)}.");
            }

            return new Zone(name, Part("file")?.GetString())
            {
                Records = Part("records"), Soa = Part("soa"), Ttl = Part("ttl"),
                Primaries = Part("primaries"), Notify = Part("notify"), AllowTransfer = Part("allowTransfer"), Dnssec = Part("dnssec"),
            };

            JsonElement? Part(string part) => root.TryGetProperty(part, out var found) ? found : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new UsageException($"{path} does not describe {name}: {e.Message}",
                """It looks like: {"records":[{"type":"NS","data":"ns1"},{"name":"ns1","type":"A","data":"192.0.2.1"}],"notify":[{"address":"192.0.2.53"}],"dnssec":true}""");
        }
    }

    private static Zone Secondary(string text)
    {
        var (name, list) = InstallInput.Pair(text, "--secondary", "NAME=ADDR[:PORT][/KEY],…");
        var primaries = new JsonArray();
        foreach (var part in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var slash = part.IndexOf('/', StringComparison.Ordinal);
            if (!IPEndPoint.TryParse(slash < 0 ? part : part[..slash], out var end))
            {
                throw new UsageException($"--secondary {text}: {part} is not an address with or without a port and the name of a key.", "For example example.org=192.0.2.1/xfr.example.org or example.org=[2001:db8::1]:53");
            }

            primaries.Add(new JsonObject { ["address"] = end.Address.ToString(), ["port"] = end.Port == 0 ? 53 : end.Port, ["key"] = slash < 0 ? null : part[(slash + 1)..] });
        }

        return new Zone(name, null) { Primaries = Element(primaries) };
    }

    /// <summary>Of a zone that is not given otherwise, only this changes.</summary>
    private static void Sign(List<Zone> zones, IEnumerable<string> names, bool signed)
    {
        foreach (var name in names)
        {
            var at = zones.FindIndex(z => Same(z.Name, name));
            var zone = (at < 0 ? new Zone(name, null) : zones[at]) with { Dnssec = Element(JsonValue.Create(signed)) };
            if (at < 0)
            {
                zones.Add(zone);
            }
            else
            {
                zones[at] = zone;
            }
        }
    }

    private static bool Same(string one, string other) => one.TrimEnd('.').Equals(other.TrimEnd('.'), StringComparison.OrdinalIgnoreCase);

    /// <summary>As kdig reads them, and keymgr writes them: above a configuration, behind a '#'.</summary>
    private static TsigKey Key(string path) => InstallInput.Read(path, "The key").Split('\n')[0].TrimStart('#').Trim().Split(':') switch
    {
        [var algorithm, var name, var secret] => new TsigKey(name, algorithm.ToLower(CultureInfo.InvariantCulture), secret),
        [var name, var secret] => new TsigKey(name, "hmac-sha256", secret),
        _ => throw new UsageException($"{path} does not hold a key.", "It is one line: hmac-sha256:xfr.example.org:c2VjcmV0…"),
    };

    private static JsonElement Element(JsonNode node)
    {
        using var document = JsonDocument.Parse(node.ToJsonString());
        return document.RootElement.Clone();
    }
}
