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
        $"{server.Name} is installed by hand, and the product has no login on its host, which this needs. Give it one (msctl servers edit {server.Argument} --address HOST --password-file FILE), "
        + $"or do it by hand: on the host, or with another install (msctl servers install {server.Argument} …).");

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

    private async Task<PreparedChange<Server>> AddManual(AddServer request, string who, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        var name = errors.Parse<DisplayName>("name", request.Name);
        var address = string.IsNullOrWhiteSpace(request.Address) ? null : errors.Parse<HostAddress>("address", request.Address);
        var apiAddress = ApiAddresses.Parse("apiAddress", request.ApiAddress, errors)?.ToString().TrimEnd('/');
        foreach (var (field, given) in new[] { ("password", request.Password), ("privateKey", request.PrivateKey), ("passphrase", request.Passphrase), ("hostKey", request.HostKey) })
        {
            if (!string.IsNullOrEmpty(given))
            {
                errors.Add(field, "is given, but the server is installed by hand and has no login: leave it out, or let the product install it (installation: automatic)");
            }
        }

        errors.ThrowIfAny();
        await RefuseTaken(name!.Text, address?.Text, null, cancellationToken);
        var changes = StoredChange.Of(
            new("server", null, $"{name}, installed by hand"), address is null ? null : new("address", null, address.Text), new("the product's address", null, apiAddress ?? "its own"));
        return new PreparedChange<Server>($"add the server {name}", changes, ct => KeepManual(name.Text, address?.Text, apiAddress, who, ct));
    }

    private async Task<Server> KeepManual(string name, string? address, string? apiAddress, string who, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAfterAnother, transaction: transaction);
        await RefuseTaken(connection, name, address, null, null, null, null);
        var token = await Tokens.IssueForServer(transaction, id, name);
        await connection.ExecuteAsync(
            "insert into servers.server (id, name, installation, address, report_token, api_address, created_by) values (@id, @name, 'manual', @address, @token, @apiAddress, @who)",
            new { id, name, address, token = secrets.Protect(TokenPurpose, id, token), apiAddress, who }, transaction);
        await transaction.CommitAsync(cancellationToken);
        return await Get(id.ToString(), cancellationToken);
    }

    /// <summary>A login makes it a server that the product installs; without one, name and addresses change.</summary>
    private async Task<PreparedChange<Server>> EditManual(Server server, EditServer request, string who, CancellationToken cancellationToken)
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
        await RefuseTaken(name!, address, server.Id, cancellationToken);
        var login = request.ChangesCredential ? await Login(server, request, name!, address, cancellationToken) : null;
        var changes = StoredChange.Of(
            new("name", $"'{server.Name}'", $"'{name}'"), new("address", server.Address ?? "none", address ?? "none"), AddressOfProduct(server.ApiAddress, apiAddress),
            login is null ? null : new("installation", "by hand", $"automatic, as {login.Target.User} with a {login.Target.Credential}, host key {login.Target.PinnedKey}"));
        return new PreparedChange<Server>($"change the server {server.Name}", changes, ct => changes.Count == 0 ? Task.FromResult(server) : KeepManual(server, name!, address, apiAddress, login, changes, request, who, ct))
        {
            Proof = login is null ? null : ProofOf(login.Target), Servers = [server.Name],
        };
    }

    private async Task<Server> KeepManual(
        Server server, string name, string? address, string? apiAddress, Registration? wanted, IReadOnlyList<StoredChange> changes, EditServer request, string who, CancellationToken cancellationToken)
    {
        (HostLogin? login, OsFamily? system) = wanted is null ? default : await FirstContact(wanted.Target, wanted.Expected, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAfterAnother, transaction: transaction);
        await RefuseTaken(connection, name, address, null, null, null, server.Id);
        await connection.ExecuteAsync("update servers.server set name = @name, address = @address, api_address = @apiAddress where id = @Id", new { server.Id, name, address, apiAddress }, transaction);
        if (wanted is not null)
        {
            var target = wanted.Target with { Login = login! };
            await RefuseTaken(connection, target, wanted.Route?.Id, except: server.Id);
            await connection.ExecuteAsync(
                """
                update servers.server set installation = 'automatic', ssh_port = @port, ssh_user = @user, authentication = @authentication, credential = @credential,
                       host_key_algorithm = @algorithm, host_key_fingerprint = @fingerprint, login = @login, login_home = @home, operating_system = @system, route_id = @route
                where id = @Id and installation = 'manual'
                """,
                new
                {
                    server.Id, port = target.Port.Number, user = target.User.Text, authentication = HostCredentials.AuthenticationOf(target.Credential),
                    credential = credentials.Protect(CredentialPurpose, server.Id, target.Credential),
                    algorithm = target.PinnedKey!.Algorithm, fingerprint = target.PinnedKey.Fingerprint, login = LoginOf(target), home = target.Login.Home, system = SystemOf(system), route = wanted.Route?.Id,
                }, transaction);
        }

        await Note(transaction, server.Id, who, $"changed {string.Join("; ", changes)}", Why(request));
        await transaction.CommitAsync(cancellationToken);
        return await Get(server.Id.ToString(), cancellationToken);
    }

    /// <summary>The way to the host, which is proven once before it is kept.</summary>
    private async Task<Registration> Login(Server server, EditServer request, string name, string? address, CancellationToken cancellationToken)
    {
        var wanted = await Check(new AddServer
        {
            Name = name, Address = address, SshPort = request.SshPort ?? 22, SshUser = request.SshUser ?? "root",
            Password = request.Password, PrivateKey = request.PrivateKey, Passphrase = request.Passphrase, HostKey = request.HostKey, SshRoute = request.SshRoute, Login = request.Login, OperatingSystem = request.OperatingSystem,
        }, cancellationToken);
        await using var early = await database.OpenConnectionAsync(cancellationToken);
        // Before the credential is sent anywhere.
        await RefuseTaken(early, wanted.Target, wanted.Route?.Id, except: server.Id);
        return wanted;
    }

    private async Task RefuseTaken(string name, string? address, Guid? except, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await RefuseTaken(connection, name, address, null, null, null, except);
    }
}
