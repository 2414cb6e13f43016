using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts.Docker;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>The JSON of <c>POST /containers/create</c>, the one description of a container for every way of installing it.</summary>
internal static class ContainerSpecification
{
    public const string SpecLabel = "managed-servers.spec";
    public const string ListenLabel = "managed-servers.listen";
    private const string KeyLabel = "managed-servers.key";
    private const long MiB = 1024 * 1024;

    // Knot with two workers of each kind and some thousand records uses about 40 MiB; zones grow.
    private const long DnsMemory = 512 * MiB;
    // Leases are kept in memory, some hundred bytes each.
    private const long DhcpMemory = 512 * MiB;
    private const long MonitorMemory = 128 * MiB;

    /// <param name="listen">Knot binds its addresses as it starts and not when it reloads: others are another container.</param>
    public static (JsonElement Json, string Digest) Dns(HostLayout layout, CatalogueImage image, string idempotencyKey, IReadOnlyList<ListenRequest> listen) => Render(layout, image, idempotencyKey, DnsMemory, ["NET_BIND_SERVICE"],
    [
        $"{layout.Config(Component.Dns)}:/etc/knot:ro",
        $"{layout.Data(Component.Dns)}:/var/lib/knot",
        $"{layout.Sockets(Component.Dns)}:/run/knot",
        $"{layout.Tap}:/run/tap",
    ], (ListenLabel, string.Join(' ', listen.Select(l => $"{l.Address}@{l.Port}").Order(StringComparer.Ordinal))));

    // Kea sees clients that have no address yet, so it reads and writes raw frames.
    public static (JsonElement Json, string Digest) Dhcp(HostLayout layout, CatalogueImage image, string idempotencyKey) => Render(layout, image, idempotencyKey, DhcpMemory, ["NET_BIND_SERVICE", "NET_RAW"],
    [
        $"{layout.Config(Component.Dhcp)}:/etc/kea:ro",
        $"{layout.Data(Component.Dhcp)}:/var/lib/kea",
        $"{layout.Sockets(Component.Dhcp)}:/run/kea",
    ]);

    public static (JsonElement Json, string Digest) Monitor(HostLayout layout, CatalogueImage image, string idempotencyKey) => Render(layout, image, idempotencyKey, MonitorMemory, [],
    [
        $"{layout.Monitor}:/var/lib/monitor",
        $"{layout.Sockets(Component.Dns)}:/run/knot",
        $"{layout.Sockets(Component.Dhcp)}:/run/kea",
        $"{layout.Tap}:/run/tap",
    ]);

    private static (JsonElement, string) Render(
        HostLayout layout, CatalogueImage image, string idempotencyKey, long memory, string[] capabilities, string[] binds, params ReadOnlySpan<(string Label, string Value)> more)
    {
        var labels = new JsonObject
        {
            ["managed-servers.component"] = image.Component,
            ["managed-servers.version"] = image.Version,
            ["managed-servers.image"] = image.Digest,
        };
        foreach (var (label, value) in more)
        {
            labels[label] = value;
        }

        var specification = new JsonObject
        {
            ["Image"] = image.Image,
            ["User"] = "0:0",
            ["Labels"] = labels,
            ["HostConfig"] = new JsonObject
            {
                // The host's own network: DNS must see the asker's address and must not pass through connection tracking.
                ["NetworkMode"] = "host",
                ["ReadonlyRootfs"] = true,
                ["CapDrop"] = new JsonArray("ALL"),
                ["CapAdd"] = new JsonArray([.. capabilities.Concat(layout.Login.ContainerCapabilities).Select(c => JsonValue.Create(c))]),
                ["SecurityOpt"] = new JsonArray("no-new-privileges"),
                ["Memory"] = memory,
                ["PidsLimit"] = 256,
                // Not "unless-stopped": an engine that was killed stops what it finds running when it is back, and takes that for a stop by hand.
                ["RestartPolicy"] = new JsonObject { ["Name"] = "always" },
                ["Binds"] = new JsonArray([.. binds.Select(b => JsonValue.Create(Bind.Labelled(b)))]),
                ["Tmpfs"] = new JsonObject { ["/tmp"] = "size=16m,mode=1777" },
                ["LogConfig"] = new JsonObject { ["Type"] = "json-file", ["Config"] = new JsonObject { ["max-size"] = "10m", ["max-file"] = "3" } },
            },
        };
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(specification.ToJsonString())));
        labels[SpecLabel] = digest;
        labels[KeyLabel] = idempotencyKey;
        return (JsonSerializer.SerializeToElement(specification, EngineJson.Options), digest);
    }
}
