using Dapper;
using ManagedServers.Workflows.Hosts;
using Npgsql;

namespace ManagedServers.Workflows.Servers;

/// <content>One host is one server: a second registration would take over the DNS and the agent of the first.</content>
public sealed partial class Servers
{
    // Of two who register the same host at once, the second must see the first.
    private const string OneAfterAnother = "select pg_advisory_xact_lock(hashtextextended('servers.add', 0))";

    /// <param name="route">Networks behind different routes may have the same addresses.</param>
    private static async Task RefuseTaken(NpgsqlConnection connection, HostTarget target, Guid? route, Guid? except = null)
    {
        var others = await connection.QueryAsync<Other>(
            """
            select * from (
                select name, address, ssh_port, lower(name) = lower(@name) as same_name,
                       address = @address and (ssh_port = @port or installation = 'manual') and route_id is not distinct from @route as same_address, host_key_fingerprint = @key as same_key
                from servers.server where id is distinct from @except) s
            where same_name or same_address or same_key
            """,
            new { name = target.DisplayName, address = target.Address.Text, port = target.Port.Number, route, key = target.PinnedKey!.Fingerprint, except });
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

    /// <summary>For a server without a login: its address says which host it is, and no port.</summary>
    private static async Task RefuseTaken(NpgsqlConnection connection, string name, string? address, Guid? except)
    {
        var others = await connection.QueryAsync<(string Name, bool SameName)>(
            """
            select name, lower(name) = lower(@name) from servers.server
            where id is distinct from @except and (lower(name) = lower(@name) or address = @address and route_id is null)
            """, new { name, address, except });
        var errors = new InputErrors();
        foreach (var (other, sameName) in others)
        {
            errors.Add(sameName ? "name" : "address", sameName
                ? $"must be unique, and there is a server called '{other}' already"
                : $"is that of the server '{other}' already, and a host can be only one server. Work with '{other}', or remove it first");
        }

        errors.ThrowIfAny();
    }

    private sealed record Other(string Name, string Address, int? SshPort, bool SameName, bool SameAddress, bool SameKey);
}
