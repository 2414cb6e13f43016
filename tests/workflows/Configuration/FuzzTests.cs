using System.Text.Json;
using System.Text.Json.Nodes;
using ManagedServers.Tests;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Tests.Payload;
using Xunit.Abstractions;

namespace ManagedServers.Workflows.Tests.Configuration;

/// <summary>No value breaks out of a configuration file: read back, and read by the very programs that are configured with it.</summary>
[Trait("Category", "Matrix")]
public sealed class FuzzTests : IClassFixture<ProductImages>
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
