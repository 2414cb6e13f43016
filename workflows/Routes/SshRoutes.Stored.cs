using Dapper;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Routes;

/// <content>The rows of routes, hops and their history.</content>
public sealed partial class SshRoutes
{
    internal const string Purpose = "servers.hop-credential";

    private async Task Keep(NpgsqlTransaction transaction, Guid route, IReadOnlyList<RouteHop> hops)
    {
        await transaction.Connection!.ExecuteAsync("delete from servers.route_hop where route_id = @route", new { route }, transaction);
        foreach (var (index, hop) in hops.Index())
        {
            var id = Guid.CreateVersion7();
            await transaction.Connection!.ExecuteAsync(
                """
                insert into servers.route_hop (id, route_id, position, address, ssh_port, ssh_user, authentication, credential, host_key_algorithm, host_key_fingerprint)
                values (@id, @route, @position, @address, @port, @user, @authentication, @credential, @algorithm, @fingerprint)
                """,
                new
                {
                    id, route, position = index + 1, address = hop.Address.Text, port = hop.Port.Number, user = hop.User.Text, authentication = HostCredentials.AuthenticationOf(hop.Credential),
                    credential = credentials.Protect(Purpose, id, hop.Credential), algorithm = hop.Pinned!.Algorithm, fingerprint = hop.Pinned.Fingerprint,
                }, transaction);
        }
    }

    private async Task<IReadOnlyList<RouteHop>> Stored(Guid route, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(Guid Id, string Address, int Port, string User, string Credential, string Algorithm, string Fingerprint)>(
            "select id, address, ssh_port, ssh_user, credential, host_key_algorithm, host_key_fingerprint from servers.route_hop where route_id = @route order by position", new { route });
        return [.. rows.Select(r => new RouteHop(
            HostAddress.Parse(r.Address), SshPort.Parse(r.Port), SshUser.Parse(r.User), credentials.Unprotect(Purpose, r.Id, r.Credential), new HostKey(r.Algorithm, r.Fingerprint)))];
    }

    private async Task<IReadOnlyList<SshRoute>> Read(string condition, object parameters, CancellationToken cancellationToken, string limit = "")
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = (await connection.QueryAsync<(Guid Id, string Name, DateTime CreatedAt, string[] Servers)>(
            $"""
            select r.id, r.name, r.created_at, array(select s.name from servers.server s where s.route_id = r.id order by lower(s.name))
            from servers.route r where {condition} order by lower(r.name) {limit}
            """, parameters)).ToList();
        var hops = (await connection.QueryAsync<(Guid Route, string Address, int Port, string User, string Authentication, string Algorithm, string Fingerprint)>(
            "select route_id, address, ssh_port, ssh_user, authentication, host_key_algorithm, host_key_fingerprint from servers.route_hop where route_id = any(@ids) order by position",
            new { ids = rows.Select(r => r.Id).ToArray() })).ToLookup(h => h.Route);
        return [.. rows.Select(r => new SshRoute
        {
            Id = r.Id, Name = r.Name, CreatedAt = r.CreatedAt, Servers = r.Servers,
            Hops = [.. hops[r.Id].Select(h => new SshHop(h.Address, h.Port, h.User, Enum.Parse<Authentication>(h.Authentication, ignoreCase: true), new HostKey(h.Algorithm, h.Fingerprint)))],
        })];
    }

    private async Task<string> Version(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<string>("select xmin::text from servers.route where id = @id", new { id });
    }

    private Task Note(NpgsqlTransaction transaction, Guid route, string who, string what, string? why) => transaction.Connection!.ExecuteAsync(
        "insert into servers.route_event (route_id, who, what, why) values (@route, @who, @what, @why)",
        new { route, who, what, why = string.IsNullOrWhiteSpace(why) ? null : redactor.Redact(why.Trim()) }, transaction);

    private static async Task Unique(string name, Func<Task> statement)
    {
        try
        {
            await statement();
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new InvalidInputException("name", Taken(name));
        }
    }
}
