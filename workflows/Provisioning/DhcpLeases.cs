using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <param name="HardwareAddress">As in <c>02:4d:53:00:00:07</c>.</param>
/// <param name="HostName">What the client calls itself; null where it says nothing.</param>
/// <param name="State">assigned, declined or expired.</param>
public sealed record DhcpLease(string Address, string? HardwareAddress, string? HostName, long Subnet, string State, DateTimeOffset ExpiresAt);

/// <param name="Next">The address after which the next page begins; null on the last.</param>
public sealed record LeasePage(IReadOnlyList<DhcpLease> Items, string? Next);

/// <summary>Asks a running Kea for its leases, as they are at this moment.</summary>
public sealed class DhcpLeases(Servers.Servers servers)
{
    private const int Empty = 3;

    /// <param name="after">An address, or a page's <see cref="LeasePage.Next"/>; from the first if null.</param>
    /// <param name="limit">1 to 1000.</param>
    /// <exception cref="InvalidInputException">An address or a limit that is none.</exception>
    /// <exception cref="Servers.ServerConflictException">There is no DHCP on the server, or no login to its host.</exception>
    public async Task<LeasePage> List(string idOrName, string? after, int limit, CancellationToken cancellationToken = default)
    {
        var server = await servers.Get(idOrName, cancellationToken);
        if (!string.IsNullOrEmpty(after) && !(IPAddress.TryParse(after, out var address) && address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == after))
        {
            throw new InvalidInputException("after", "must be an IPv4 address, as in 192.0.2.17");
        }

        if (server.Components.All(c => c.Name != Component.Dhcp))
        {
            throw new Servers.ServerConflictException("no-dhcp", $"There is no DHCP on {server.Name}. Install it first: msctl servers install {server.Name} --dhcp FILE");
        }

        await using var host = await servers.Connect(server.Id, cancellationToken);
        var answer = await ComponentControl.AskKea(host, "lease4-get-page", new { from = string.IsNullOrEmpty(after) ? "start" : after, limit }, [0, Empty], cancellationToken);
        var leases = answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("leases", out var list) ? list.EnumerateArray().Select(Lease).ToList() : [];
        return new LeasePage(leases, leases.Count == limit ? leases[^1].Address : null);
    }

    private static DhcpLease Lease(JsonElement lease) => new(
        Text(lease, "ip-address")!, Text(lease, "hw-address"), Text(lease, "hostname"), lease.GetProperty("subnet-id").GetInt64(),
        lease.GetProperty("state").GetInt32() switch { 0 => "assigned", 1 => "declined", _ => "expired" },
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(lease.GetProperty("cltt").GetInt64() + lease.GetProperty("valid-lft").GetInt64(), 0, 253_402_300_799)));

    private static string? Text(JsonElement lease, string name) => lease.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : null;
}
