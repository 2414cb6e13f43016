using Dapper;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Hosts;
using Npgsql;

namespace ManagedServers.Workflows.Servers;

/// <content>Servers that an operator installs by hand: the product has no login on their hosts.</content>
public sealed partial class Servers
{
    /// <summary>What is told when something needs the login that there is not.</summary>
    internal static ServerConflictException NoLogin(Server server) => new("no-login",
        $"{server.Name} is installed by hand, and the product has no login on its host, which this needs. Give it one (msctl servers edit {server.Name} --address HOST --password-file FILE), "
        + $"or do it by hand: on the host, or with another install (msctl servers install {server.Name} …).");

    /// <summary>Keeps a line in the server's history.</summary>
    internal static Task Note(NpgsqlTransaction transaction, Guid serverId, string who, string what, string? why = null) =>
        transaction.Connection!.ExecuteAsync("insert into servers.event (server_id, who, what, why) values (@serverId, @who, @what, @why)", new { serverId, who, what, why }, transaction);

    internal async Task<IReadOnlyList<string>> Ids(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return [.. (await connection.QueryAsync<Guid>("select id from servers.server")).Select(id => id.ToString())];
    }

    /// <summary>A new token for the server's agent and monitor; the one before ends.</summary>
    internal async Task<string> RenewReportToken(NpgsqlTransaction transaction, Server server)
    {
        await Tokens.RevokeForServer(transaction, server.Id);
        var token = await Tokens.IssueForServer(transaction, server.Id, server.Name);
        await transaction.Connection!.ExecuteAsync("update servers.server set report_token = @token where id = @Id", new { server.Id, token = secrets.Protect(TokenPurpose, server.Id, token) }, transaction);
        return token;
    }

    private async Task<Server> AddManual(AddServer request, string who, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        var name = errors.Parse<DisplayName>("name", request.Name);
        var address = string.IsNullOrWhiteSpace(request.Address) ? null : errors.Parse<HostAddress>("address", request.Address);
        var apiAddress = ApiAddresses.Parse("apiAddress", request.ApiAddress, errors);
        foreach (var (field, given) in new[] { ("password", request.Password), ("privateKey", request.PrivateKey), ("passphrase", request.Passphrase), ("hostKey", request.HostKey) })
        {
            if (!string.IsNullOrEmpty(given))
            {
                errors.Add(field, "is given, but the server is installed by hand and has no login: leave it out, or let the product install it (installation: automatic)");
            }
        }

        errors.ThrowIfAny();
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAfterAnother, transaction: transaction);
        await RefuseTakenName(connection, name!.Text, null);
        var token = await Tokens.IssueForServer(transaction, id, name.Text);
        await connection.ExecuteAsync(
            "insert into servers.server (id, name, installation, address, report_token, api_address, created_by) values (@id, @name, 'manual', @address, @token, @apiAddress, @who)",
            new { id, name = name.Text, address = address?.Text, token = secrets.Protect(TokenPurpose, id, token), apiAddress = apiAddress?.ToString().TrimEnd('/'), who }, transaction);
        await transaction.CommitAsync(cancellationToken);
        return await Get(id.ToString(), cancellationToken);
    }

    /// <summary>A login makes it a server that the product installs; without one, name and addresses change.</summary>
    private async Task<Server> EditManual(Server server, EditServer request, string who, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        var name = request.Name is null ? server.Name : errors.Parse<DisplayName>("name", request.Name)?.Text;
        var address = request.Address is null ? server.Address : request.Address.Length == 0 ? null : errors.Parse<HostAddress>("address", request.Address)?.Text;
        var apiAddress = request.ApiAddress is null ? server.ApiAddress : ApiAddresses.Parse("apiAddress", request.ApiAddress, errors)?.ToString().TrimEnd('/');
        if (request.Reason?.Length > LongestReason)
        {
            errors.Add("reason", $"must have at most {LongestReason} characters");
        }

        if (!request.ChangesCredential && (request.SshPort is not null || request.SshUser is not null || request.HostKey is not null || !string.IsNullOrEmpty(request.SshRoute)))
        {
            errors.Add("password", "is needed, or privateKey in its place, to give this server a login");
        }

        errors.ThrowIfAny();
        var (login, route, system) = request.ChangesCredential ? await Login(server, request, name!, address, cancellationToken) : (null, null, null);
        var what = string.Join("; ", new[]
        {
            name != server.Name ? $"name from '{server.Name}' to '{name}'" : null,
            address != server.Address ? $"address from {server.Address ?? "none"} to {address ?? "none"}" : null,
            apiAddress != server.ApiAddress ? $"the product's address from {server.ApiAddress ?? "its own"} to {apiAddress ?? "its own"}, in use from the next install on" : null,
            login is null ? null : $"installation from by hand to automatic, as {login.User} with a {login.Credential}, host key {login.PinnedKey}",
        }.OfType<string>());
        if (what.Length == 0)
        {
            return server;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAfterAnother, transaction: transaction);
        await RefuseTakenName(connection, name!, server.Id);
        await connection.ExecuteAsync("update servers.server set name = @name, address = @address, api_address = @apiAddress where id = @Id", new { server.Id, name, address, apiAddress }, transaction);
        if (login is not null)
        {
            await RefuseTaken(connection, login, route, except: server.Id);
            await connection.ExecuteAsync(
                """
                update servers.server set installation = 'automatic', ssh_port = @port, ssh_user = @user, authentication = @authentication, credential = @credential,
                       host_key_algorithm = @algorithm, host_key_fingerprint = @fingerprint, login = @login, login_home = @home, operating_system = @system, route_id = @route
                where id = @Id and installation = 'manual'
                """,
                new
                {
                    server.Id, port = login.Port.Number, user = login.User.Text, authentication = HostCredentials.AuthenticationOf(login.Credential),
                    credential = credentials.Protect(CredentialPurpose, server.Id, login.Credential),
                    algorithm = login.PinnedKey!.Algorithm, fingerprint = login.PinnedKey.Fingerprint, login = LoginOf(login), home = login.Login.Home, system = SystemOf(system), route,
                }, transaction);
        }

        await Note(transaction, server.Id, who, $"changed {what}", string.IsNullOrWhiteSpace(request.Reason) ? null : redactor.Redact(request.Reason.Trim()));
        await transaction.CommitAsync(cancellationToken);
        return await Get(server.Id.ToString(), cancellationToken);
    }

    /// <summary>The way to the host, proven once before it is kept.</summary>
    private async Task<(HostTarget? Target, Guid? Route, OsFamily? System)> Login(Server server, EditServer request, string name, string? address, CancellationToken cancellationToken)
    {
        var (_, target, route, expected, _) = await Check(new AddServer
        {
            Name = name, Address = address, SshPort = request.SshPort ?? 22, SshUser = request.SshUser ?? "root",
            Password = request.Password, PrivateKey = request.PrivateKey, Passphrase = request.Passphrase, HostKey = request.HostKey, SshRoute = request.SshRoute, Login = request.Login, OperatingSystem = request.OperatingSystem,
        }, cancellationToken);
        await using (var early = await database.OpenConnectionAsync(cancellationToken))
        {
            // Before the credential is sent anywhere.
            await RefuseTaken(early, target, route, except: server.Id);
        }

        var (login, system) = await FirstContact(target, expected, cancellationToken);
        return (target with { Login = login }, route, system);
    }

    private static async Task RefuseTakenName(NpgsqlConnection connection, string name, Guid? except)
    {
        if (await connection.QuerySingleOrDefaultAsync<string>("select name from servers.server where lower(name) = lower(@name) and id is distinct from @except", new { name, except }) is { } taken)
        {
            throw new InvalidInputException("name", $"must be unique, and there is a server called '{taken}' already");
        }
    }
}
