using Dapper;
using ManagedServers.Workflows.Hosts;
using Npgsql;

namespace ManagedServers.Workflows.Servers;

/// <content>One host is one server: a second registration would take over the DNS and the agent of the first.</content>
public sealed partial class Servers
{
    // Of two who register the same host at once, the second must see the first.
    private const string OneAfterAnother = "select pg_advisory_xact_lock(hashtextextended('servers.add', 0))";

    private static Task RefuseTaken(NpgsqlConnection connection, HostTarget target, Guid? route, Guid? except = null) =>
        RefuseTaken(connection, target.DisplayName, target.Address.Text, target.Port.Number, target.PinnedKey!.Fingerprint, route, except);

    /// <param name="port">Null for a server without a login: its address says which host it is, whatever the port.</param>
    /// <param name="route">Networks behind different routes may have the same addresses.</param>
    private static async Task RefuseTaken(NpgsqlConnection connection, string name, string? address, int? port, string? key, Guid? route, Guid? except)
    {
        var others = await connection.QueryAsync<Other>(
            """
            select * from (
                select name, address, ssh_port, lower(name) = lower(@name) as same_name,
                       coalesce(address = @address and (@port is null or ssh_port = @port or installation = 'manual') and route_id is not distinct from @route, false) as same_address,
                       coalesce(host_key_fingerprint = @key, false) as same_key
                from servers.server where id is distinct from @except) s
            where same_name or same_address or same_key
            """,
            new { name, address, port, route, key, except });
        var errors = new InputErrors();
        foreach (var other in others)
        {
            if (other.SameName)
            {
                errors.Add("name", $"must be unique, and there is a server called '{other.Name}' already");
            }

            if (other.SameAddress)
            {
                errors.Add("address", $"is that of the server '{other.Name}' already, and a host can be only one server. Work with '{other.Name}', or remove it first");
            }
            else if (other.SameKey)
            {
                errors.Add("hostKey",
                    $"is that of the server '{other.Name}' ({other.Address} port {other.SshPort}) already. If this is the same host under another address, work with '{other.Name}'. "
                    + "If it is a copy of that host, give it keys of its own (on the copy: rm /etc/ssh/ssh_host_*_key*; ssh-keygen -A; then restart its SSH server), and try again");
            }
        }

        errors.ThrowIfAny();
    }

    private sealed record Other(string Name, string Address, int? SshPort, bool SameName, bool SameAddress, bool SameKey);
}
