using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ManagedServers.Tests;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Tests.Payload;
using Xunit.Abstractions;

namespace ManagedServers.Workflows.Tests.Configuration;

/// <summary>No value breaks out of a configuration file: read back, and read by the very programs that are configured with it.</summary>
[Trait("Category", "Matrix")]
public sealed partial class FuzzTests : IClassFixture<ProductImages>
{
    private static readonly string[] Ours = ["control-socket", "lease-database", "hosts-database", "hosts-databases", "config-control", "loggers", "hooks-libraries"];
    private readonly Nasty nasty = new();

    public FuzzTests(ITestOutputHelper output) => output.WriteLine($"seed {nasty.Seed}");

    [Fact]
    public async Task Knot_reads_every_zone_that_was_named_and_not_one_setting_more()
    {
        var zones = new HashSet<ZoneName>();
        List<ListenAddress> listen = [];
        for (var n = 0; n < Nasty.Of(1_500); n++)
        {
            if (ZoneName.TryParse(nasty.OneOf(nasty.Text(4), nasty.Spoiled($"zone{n}.example.org"), nasty.Spoiled($"{n}.2.0.192.in-addr.arpa")), out var zone, out _))
            {
                zones.Add(zone);
            }

            if (Listen(nasty.OneOf(nasty.Text(2), nasty.Spoiled("192.0.2.1"), nasty.Spoiled("2001:db8::1")), nasty.Number(70_000)) is { } address)
            {
                listen.Add(address);
            }
        }

        Assert.True(zones.Count > 100 && listen.Count > 100, $"{zones.Count} zones and {listen.Count} addresses are not enough to prove anything (seed {nasty.Seed})");
        var empty = Settings(KnotConfiguration.Render([], []));
        var lines = Settings(KnotConfiguration.Render(zones.Select(z => new ServedZone(z)), listen));
        Assert.Equal(empty.Order(), lines.Where(l => !l.StartsWith("  - domain: ", StringComparison.Ordinal) && !l.StartsWith("    listen: ", StringComparison.Ordinal) && !l.StartsWith("    file: \"", StringComparison.Ordinal)
            || empty.Contains(l)).Order());
        Assert.Equal(zones.Select(z => z.Absolute).Order(StringComparer.Ordinal), lines.Where(l => l.StartsWith("  - domain: ", StringComparison.Ordinal)).Select(l => l["  - domain: ".Length..]).Order(StringComparer.Ordinal));

        await using var pair = new KnotPair();
        await pair.Prepare([.. zones.Select(z => z.Value)]);
        var (exitCode, stdout, stderr) = await pair.Check("/usr/sbin/knotc", "-c", "/etc/knot/knot.conf", "conf-check");
        Assert.True(exitCode == 0, $"{stdout}{stderr} (seed {nasty.Seed})");
    }

    [Fact]
    public async Task Whatever_is_said_of_servers_networks_and_keys_becomes_that_or_is_refused()
    {
        List<Zone> zones = [];
        List<TsigKey> keys = [];
        for (var n = 0; n < Nasty.Of(1_000); n++)
        {
            var key = nasty.OneOf(null, nasty.Text(3), nasty.Spoiled($"key{n % 40}.example.org"));
            var request = new ZoneRequest($"zone{n}.example.org", n % 2 == 0 ? "@ SOA a b 1 1 1 1 1\n" : null)
            {
                Primaries = n % 2 == 0 ? null : [new RemoteServer(nasty.OneOf(nasty.Text(2), nasty.Spoiled("192.0.2.1"), nasty.Spoiled("2001:db8::1")), nasty.OneOf(53, nasty.Number(70_000) - 10)) { Key = key }],
                Notify = nasty.OneOf<RemoteServer[]?>(null, [new RemoteServer(nasty.Spoiled("192.0.2.53")) { Key = key }]),
                AllowTransfer = nasty.OneOf<TransferRule[]?>(null, [new TransferRule(nasty.OneOf(null, nasty.Text(2), nasty.Spoiled("198.51.100.0/24"), nasty.Spoiled("2001:db8::/32")), key)]),
                Dnssec = n % 2 == 0 ? nasty.OneOf<bool?>(null, true, false) : null,
            };
            zones.AddRange(Accepted(errors => ConfigurationChecks.Zones("zones", [request], null, errors)));
            keys.Add(new TsigKey(key, nasty.OneOf("hmac-sha256", nasty.Spoiled("hmac-sha512"), nasty.Text(2)), nasty.OneOf("YSBzZWNyZXQgb2YgdGhlIHRlc3Rz", nasty.Spoiled("YSBzZWNyZXQgb2YgdGhlIHRlc3Rz"), nasty.Text())));
        }

        keys = [.. keys.SelectMany(k => Accepted(errors => ConfigurationChecks.Keys([k], [Naming(k.Name)], null, errors))).DistinctBy(k => k.Name)];
        var known = keys.Select(k => k.Name).ToHashSet();
        zones = [.. zones.Where(z => z.KeyNames.All(known.Contains))];
        Assert.True(zones.Count > 100 && keys.Count > 10 && zones.Any(z => z.IsSecondary) && zones.Any(z => z.Dnssec && z.Notify.Count > 0), $"{zones.Count} zones and {keys.Count} keys are not enough to prove anything (seed {nasty.Seed})");

        var text = KnotConfiguration.Render(zones.Select(ServedZone.Of), [ListenAddress.Parse("127.0.0.1", 5353)], hasKeys: true);
        var secrets = KnotConfiguration.RenderKeys(keys.Select(ServedKey.Of));
        Assert.All(Settings(text + secrets), line => Assert.Matches(Line(), line));
        Assert.Equal(zones.Count, Settings(text).Count(l => l.StartsWith("  - domain: ", StringComparison.Ordinal)));
        Assert.Equal(keys.Count, Settings(secrets).Count(l => l.StartsWith("    secret: ", StringComparison.Ordinal)));

        await using var pair = new KnotPair();
        await pair.Prepare();
        await pair.Write(KnotConfiguration.FileName, text);
        await pair.Write(KnotConfiguration.KeyFile, secrets);
        var (exitCode, stdout, stderr) = await pair.Check("/usr/sbin/knotc", "-c", "/etc/knot/knot.conf", "conf-check");
        Assert.True(exitCode == 0, $"{stdout}{stderr} (seed {nasty.Seed})");

        static Zone Naming(string? key) => new("a.example", null) { Primaries = [new RemoteServer("192.0.2.1") { Key = ZoneName.TryParse(key, out var name, out _) ? name.Value : key }] };
    }

    [Fact]
    public void A_zone_file_with_which_Knot_would_read_another_one_is_refused_however_it_is_written()
    {
        foreach (var before in new[] { "", " ", "\t", "@ SOA a b 1 1 1 1 1\n", "@ SOA a b 1 1 1 1 1\r\n \t", "a TXT \"x\" ; y\n", "\v", "\f", "\u0085", "\u2028" })
        {
            foreach (var word in new[] { "$INCLUDE", "$include", "$InClUdE" })
            {
                Assert.True(Accepted(errors => ConfigurationChecks.Zones("zones", [new ZoneRequest("example.org", $"{before}{word} /etc/passwd\n")], null, errors)).Count == 0, $"{before}{word}");
            }
        }
    }

    [Fact]
    public async Task Kea_reads_what_was_written_and_the_product_keeps_what_is_its_own()
    {
        var strings = new JsonArray();
        for (var n = 0; n < Nasty.Of(1_500); n++)
        {
            var document = Document();
            var file = JsonNode.Parse(KeaConfiguration.Parse(JsonSerializer.SerializeToElement(document)).Render([nasty.Text(2)]).Text)!.AsObject();
            Assert.Equal(["Dhcp4"], file.Select(p => p.Key));
            var dhcp = file["Dhcp4"]!.AsObject();
            Assert.True(JsonNode.DeepEquals(document["subnet4"], dhcp["subnet4"]), $"{document} (seed {nasty.Seed})");
            Assert.Equal(KeaConfiguration.ControlSocket, dhcp["control-socket"]!["socket-name"]!.GetValue<string>());
            Assert.Equal(document.Select(p => p.Key).Concat(["control-socket", "lease-database", "hooks-libraries", "loggers", "interfaces-config"]).Distinct().Order(StringComparer.Ordinal), dhcp.Select(p => p.Key).Order(StringComparer.Ordinal));
            strings.Add(nasty.Text());
        }

        // All of them in one document, as an operator's own notes: Kea itself must take them for strings.
        var all = new JsonObject { ["subnet4"] = new JsonArray(new JsonObject { ["subnet"] = "192.0.2.0/24" }), ["user-context"] = new JsonObject { ["notes"] = strings } };
        var folder = Directory.CreateTempSubdirectory("kea-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "kea.conf"), KeaConfiguration.Parse(JsonSerializer.SerializeToElement(all)).Render(["lo"]).Text);
            var (exitCode, stdout, stderr) = await Command.Try("docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run", "--volume", $"{folder.FullName}:/etc/kea:ro",
                "--entrypoint", "/usr/sbin/kea-dhcp4", Repository.Image("dhcp"), "-t", "/etc/kea/kea.conf");
            Assert.True(exitCode == 0, $"{stdout}{stderr} (seed {nasty.Seed})");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private JsonObject Document()
    {
        var document = new JsonObject
        {
            ["subnet4"] = new JsonArray(new JsonObject
            {
                ["subnet"] = "192.0.2.0/24",
                ["option-data"] = new JsonArray(new JsonObject { ["name"] = nasty.OneOf("routers", nasty.Text(3)), ["data"] = nasty.Text(), ["csv-format"] = true }),
                ["reservations"] = new JsonArray(new JsonObject { ["hw-address"] = nasty.Spoiled("02:00:00:00:00:01"), ["hostname"] = nasty.Text(4) }),
                ["user-context"] = new JsonObject { [nasty.Text(3)] = nasty.Text() },
            }),
            ["user-context"] = new JsonObject { [nasty.Text(3)] = nasty.Text() },
        };
        var more = nasty.Text(3);
        if (!Ours.Contains(more) && !document.ContainsKey(more) && more is not ("Dhcp4" or "interfaces-config" or "shared-networks"))
        {
            document[more] = nasty.Text();
        }

        return document;
    }

    // What a line of Knot's configuration can be: nothing that a value holds makes another one.
    [GeneratedRegex("""^(#.*|[a-z-]+:|include: keys\.conf|  - (id|domain|target): [a-z0-9._/-]+|    [a-z0-9-]+: ("[%a-z0-9._+/-]*"|\[ [a-z0-9, /-]+ \]|[A-Za-z0-9@:.+/=_-]+))$""")]
    private static partial Regex Line();

    private static IReadOnlyList<T> Accepted<T>(Func<InputErrors, T[]> read)
    {
        var errors = new InputErrors();
        var accepted = read(errors);
        return errors.None ? accepted : [];
    }

    private static ListenAddress? Listen(string address, int port)
    {
        try
        {
            return ListenAddress.Parse(address, port);
        }
        catch (InvalidInputException)
        {
            return null;
        }
    }

    private static List<string> Settings(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
