using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ManagedServers.Workflows.Configuration;

/// <summary>
/// Kea's <c>Dhcp4</c> document as an operator wrote it, with what the product sets itself: where leases, socket and log are. Whatever it holds is read as JSON
/// and written as JSON again, so that no value can become a directive. Paths are those inside the container.
/// </summary>
public sealed partial class KeaConfiguration
{
    public const string ControlSocket = "/run/kea/kea4.sock";
    public const string FileName = "kea-dhcp4.conf";
    private const string Mark = "managed-servers";
    private const int LongestDocument = 8 * 1024 * 1024;
    private const int DeepestDocument = 32;

    // Who sets them could let Kea run programs, write files elsewhere, or be steered by somebody else.
    private static readonly string[] Ours = ["control-socket", "lease-database", "hosts-database", "hosts-databases", "config-control", "loggers", "hooks-libraries"];

    // The product adds to them.
    private static readonly string[] Extended = ["interfaces-config", "user-context"];
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonObject document;

    private KeaConfiguration(JsonObject document, IReadOnlyList<string> subnets) => (this.document, Subnets) = (document, subnets);

    /// <summary>As they are written in the document, those of shared networks included.</summary>
    public IReadOnlyList<string> Subnets { get; }

    /// <summary>It says itself where Kea listens.</summary>
    public bool NamesInterfaces => document["interfaces-config"]?["interfaces"] is not null;

    /// <summary>The document alone, without a <c>Dhcp4</c> around it.</summary>
    public JsonElement Document => JsonSerializer.SerializeToElement(document);

    /// <param name="given">The document, with or without a <c>Dhcp4</c> around it.</param>
    /// <exception cref="InvalidInputException">Names the place in the document and the rule.</exception>
    public static KeaConfiguration Parse(JsonElement given, string field = "dhcp")
    {
        var document = Inner(Read(given, field), ref field);
        foreach (var ours in Ours.Where(document.ContainsKey))
        {
            throw new InvalidInputException($"{field}.{ours}", "is set by the product: leave it out");
        }

        foreach (var name in Extended.Where(n => document.ContainsKey(n) && document[n] is not JsonObject))
        {
            throw new InvalidInputException($"{field}.{name}", "must be an object");
        }

        var subnets = Subnet4(document, field).ToList();
        return subnets.Count > 0 ? new KeaConfiguration(document, subnets)
            : throw new InvalidInputException($"{field}.subnet4", "must have at least one subnet, here or in a shared network: a DHCP server without one serves nobody");
    }

    /// <summary>The file that Kea reads, and the mark by which a running Kea shows that it has read this one. The same document gives the same bytes.</summary>
    /// <param name="interfaces">On which it listens where the document names none; none stands for all.</param>
    public (string Text, string Mark) Render(IReadOnlyList<string> interfaces)
    {
        var all = new JsonObject
        {
            ["control-socket"] = new JsonObject { ["socket-type"] = "unix", ["socket-name"] = ControlSocket },
            ["lease-database"] = new JsonObject { ["type"] = "memfile", ["persist"] = true, ["name"] = "/var/lib/kea/kea-leases4.csv", ["lfc-interval"] = 3600 },
            ["hooks-libraries"] = new JsonArray(Hook("lease_cmds"), Hook("stat_cmds")),
            ["loggers"] = new JsonArray(new JsonObject
            {
                ["name"] = "kea-dhcp4", ["severity"] = "INFO", ["output_options"] = new JsonArray(new JsonObject { ["output"] = "stdout", ["flush"] = true }),
            }),
        };
        foreach (var (name, value) in document)
        {
            all[name] = value?.DeepClone();
        }

        var listen = Object(all, "interfaces-config");
        listen.TryAdd("interfaces", new JsonArray([.. interfaces.DefaultIfEmpty("*").Select(i => JsonValue.Create(i))]));
        // After a boot of the host Kea may be up before its network is.
        listen.TryAdd("service-sockets-max-retries", 100_000);
        listen.TryAdd("service-sockets-retry-wait-time", 5_000);
        var mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToJsonString(Written))))[..16];
        Object(all, "user-context")[Mark] = mark;
        return (Escape.Replace(new JsonObject { ["Dhcp4"] = all }.ToJsonString(Written), AsItIs) + "\n", mark);
    }

    // Kea knows \u00.. alone. The writer escapes what it thinks invisible, and all that lies beyond 16 bits.
    private static string AsItIs(Match escape) => escape.Groups[1] is { Success: true } code && (char)Convert.ToUInt16(code.Value, 16) is >= '\u0100' and var character ? character.ToString() : escape.Value;

    [GeneratedRegex(@"\\(?:u([0-9A-Fa-f]{4})|.)")]
    private static partial Regex Escape { get; }

    /// <summary>The mark in a file, or in what a running Kea answers to <c>config-get</c>; null when the product has not written it.</summary>
    public static string? MarkIn(JsonElement file) =>
        file.ValueKind == JsonValueKind.Object && file.TryGetProperty("Dhcp4", out var dhcp) && dhcp.TryGetProperty("user-context", out var context) ? MarkInContext(context) : null;

    /// <summary>The mark in a <c>user-context</c>; null when the product has not written it.</summary>
    public static string? MarkInContext(JsonElement context) =>
        context.ValueKind == JsonValueKind.Object && context.TryGetProperty(Mark, out var mark) && mark.ValueKind == JsonValueKind.String ? mark.GetString() : null;

    /// <summary>The document that <see cref="Render"/> would write as this file.</summary>
    /// <param name="file">As somebody has changed it by hand.</param>
    /// <param name="before">What it was written from: what the product has added is taken away again.</param>
    /// <param name="interfaces">As given to <see cref="Render"/>.</param>
    /// <exception cref="InvalidInputException">There is no such document: what is the product's own was changed.</exception>
    public static KeaConfiguration OfFile(JsonElement file, KeaConfiguration before, IReadOnlyList<string> interfaces)
    {
        var field = FileName;
        var all = Inner(Read(file, field), ref field);
        var written = JsonNode.Parse(before.Render(interfaces).Text)!["Dhcp4"]!.AsObject();
        (all["user-context"] as JsonObject)?.Remove(Mark);
        (written["user-context"] as JsonObject)?.Remove(Mark);
        var document = (JsonObject)all.DeepClone();
        foreach (var ours in Ours.Where(o => JsonNode.DeepEquals(all[o], written[o])))
        {
            document.Remove(ours);
        }

        foreach (var name in Extended)
        {
            // Untouched, it is what the operator had asked for; otherwise all of it is the operator's from now on.
            if (JsonNode.DeepEquals(all[name], written[name]))
            {
                document.Remove(name);
                if (before.document.TryGetPropertyValue(name, out var asked))
                {
                    document[name] = asked?.DeepClone();
                }
            }
        }

        return Parse(JsonSerializer.SerializeToElement(document), FileName);
    }

    private static JsonObject Read(JsonElement given, string field)
    {
        var text = given.GetRawText();
        if (Encoding.UTF8.GetByteCount(text) > LongestDocument)
        {
            throw new InvalidInputException(field, $"must have at most {LongestDocument / 1024 / 1024} MiB");
        }

        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = DeepestDocument }) as JsonObject
                ?? throw new InvalidInputException(field, "must be Kea's Dhcp4 document: a JSON object");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(field, $"is not a document that Kea can read: {e.Message}");
        }
    }

    private static JsonObject Inner(JsonObject given, ref string field)
    {
        if (!given.TryGetPropertyValue("Dhcp4", out var inner))
        {
            return given;
        }

        if (given.Count > 1)
        {
            throw new InvalidInputException(field, $"holds {string.Join(", ", given.Select(p => p.Key).Where(k => k != "Dhcp4"))} beside Dhcp4: only Dhcp4 is served here");
        }

        field += ".Dhcp4";
        given.Remove("Dhcp4");
        return inner as JsonObject ?? throw new InvalidInputException(field, "must be an object");
    }

    private static IEnumerable<string> Subnet4(JsonObject owner, string field)
    {
        foreach (var (place, subnet) in Objects(owner, "subnet4", field))
        {
            yield return subnet["subnet"] is JsonValue value && value.TryGetValue(out string? text) && IPNetwork.TryParse(text, out var network) && network.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
                ? text : throw new InvalidInputException($"{place}.subnet", "must be an IPv4 network, as in 192.0.2.0/24");
        }

        foreach (var (place, network) in Objects(owner, "shared-networks", field))
        {
            foreach (var subnet in Subnet4(network, place))
            {
                yield return subnet;
            }
        }
    }

    private static IEnumerable<(string Place, JsonObject Value)> Objects(JsonObject owner, string name, string field)
    {
        if (!owner.TryGetPropertyValue(name, out var node))
        {
            yield break;
        }

        var list = node as JsonArray ?? throw new InvalidInputException($"{field}.{name}", "must be a list");
        foreach (var (index, item) in list.Index())
        {
            yield return ($"{field}.{name}[{index}]", item as JsonObject ?? throw new InvalidInputException($"{field}.{name}[{index}]", "must be an object"));
        }
    }

    private static JsonObject Object(JsonObject owner, string name)
    {
        if (owner[name] is not JsonObject found)
        {
            owner[name] = found = [];
        }

        return found;
    }

    private static JsonObject Hook(string name) => new() { ["library"] = $"/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_{name}.so" };
}
