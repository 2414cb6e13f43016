using System.Globalization;
using Dapper;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Routes;

namespace ManagedServers.Workflows.Servers;

/// <content>Changing what is known of a host.</content>
public sealed partial class Servers
{
    private const int LongestReason = 500;
    private const int EventsShown = 200;

    /// <summary>
    /// Changes a registration. Where the way to the host changes, it connects once that way before anything is kept: a wrong password leaves the right one in place.
    /// Runs use what is kept from their next connection on.
    /// </summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    /// <exception cref="HostRejectedException">The host refuses: a key that was not accepted, a wrong password.</exception>
    /// <exception cref="HostUnavailableException">The host cannot be reached.</exception>
    /// <exception cref="ServerConflictException">Somebody else has changed it meanwhile.</exception>
    public async Task<PreparedChange<Server>> Edit(string idOrName, EditServer request, string who, CancellationToken cancellationToken = default)
    {
        var server = await Get(idOrName, cancellationToken);
        if (server.Installation == InstallationType.Manual)
        {
            return await EditManual(server, request, who, cancellationToken);
        }

        var version = await Version(server.Id, cancellationToken);
        var before = await Target(server.Id, cancellationToken);
        var wanted = await Changed(request, server, before, cancellationToken);
        IReadOnlyList<StoredChange> changes = [.. Changes(server, before, wanted, server.OperatingSystem, request), .. OnlyFoundThere(server, before, wanted, request)];
        return new PreparedChange<Server>($"change the server {server.Name}", changes, ct => Keep(server, version, before, wanted, request, who, ct))
        {
            Proof = request.ChangesTheWay ? ProofOf(wanted.Target) : null, Servers = [server.Name],
        };
    }

    private async Task<Server> Keep(Server server, string version, HostTarget before, Registration wanted, EditServer request, string who, CancellationToken cancellationToken)
    {
        var system = server.OperatingSystem;
        if (request.ChangesTheWay)
        {
            (var login, system) = await FirstContact(wanted.Target, wanted.Expected, cancellationToken);
            wanted = wanted with { Target = wanted.Target with { Login = login } };
            RefuseToLeave(server, login);
        }

        var changes = Changes(server, before, wanted, system, request);
        if (changes.Count == 0)
        {
            return server;
        }

        var target = wanted.Target;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAfterAnother, transaction: transaction);
        await RefuseTaken(connection, target, wanted.Route?.Id, except: server.Id);
        var kept = await connection.ExecuteAsync(
            """
            update servers.server set name = @name, address = @address, ssh_port = @port, ssh_user = @user, authentication = @authentication, credential = @credential,
                   host_key_algorithm = @algorithm, host_key_fingerprint = @fingerprint, login = @login, login_home = @home, operating_system = @system, api_address = @ApiAddress, route_id = @route
            where id = @Id and xmin::text = @version
            """,
            new
            {
                server.Id, name = target.DisplayName, address = target.Address.Text, port = target.Port.Number, user = target.User.Text, authentication = HostCredentials.AuthenticationOf(target.Credential),
                credential = credentials.Protect(CredentialPurpose, server.Id, target.Credential),
                algorithm = target.PinnedKey!.Algorithm, fingerprint = target.PinnedKey.Fingerprint,
                login = LoginOf(target), home = target.Login.Home, system = SystemOf(system), wanted.ApiAddress, route = wanted.Route?.Id, version,
            },
            transaction);
        if (kept == 0)
        {
            // What was read is older than what is there: written back, it would undo what somebody else has just done.
            throw new ServerConflictException("changed-meanwhile", $"{server.Name} was changed by somebody else at the same moment. Look at it and try again; nothing was changed by this request.");
        }

        await Note(transaction, server.Id, who, $"changed {string.Join("; ", changes)}", Why(request));
        await transaction.CommitAsync(cancellationToken);
        return await Get(server.Id.ToString(), cancellationToken);
    }

    /// <summary>What was done to the registration, newest first.</summary>
    /// <exception cref="ServerNotFoundException">There is no such server.</exception>
    public async Task<IReadOnlyList<ServerEvent>> History(string idOrName, CancellationToken cancellationToken = default)
    {
        var server = await Get(idOrName, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var events = await connection.QueryAsync<(DateTime At, string Who, string What, string? Why)>(
            "select at, who, what, why from servers.event where server_id = @Id order by id desc limit @EventsShown", new { server.Id, EventsShown });
        return [.. events.Select(e => new ServerEvent(e.At, e.Who, e.What, e.Why))];
    }

    private async Task<string> Version(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<string>("select xmin::text from servers.server where id = @id", new { id });
    }

    private string? Why(EditServer request) => string.IsNullOrWhiteSpace(request.Reason) ? null : redactor.Redact(request.Reason.Trim());

    private async Task<Registration> Changed(EditServer request, Server server, HostTarget before, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        var name = request.Name is null ? server.Name : errors.Parse<DisplayName>("name", request.Name)?.Text;
        var address = request.Address is null ? before.Address : errors.Parse<HostAddress>("address", request.Address);
        var port = request.SshPort is { } number ? errors.Parse<SshPort>("sshPort", number.ToString(CultureInfo.InvariantCulture)) : before.Port;
        var user = request.SshUser is null ? before.User : errors.Parse<SshUser>("sshUser", request.SshUser);
        var credential = request.ChangesCredential
            ? credentials.Check(request.Password, request.PrivateKey, request.Passphrase, errors)
            : before.Credential;
        var apiAddress = request.ApiAddress is null ? server.ApiAddress : ApiAddresses.Parse("apiAddress", request.ApiAddress, errors)?.ToString().TrimEnd('/');
        var route = await RouteOf(request.SshRoute ?? server.SshRoute, errors, cancellationToken);
        var expected = Expected.Parse(request.Login, request.OperatingSystem, errors);
        if (request.Reason?.Length > LongestReason)
        {
            errors.Add("reason", $"must have at most {LongestReason} characters");
        }

        errors.ThrowIfAny();
        var target = before with
        {
            DisplayName = name!, Address = address!, Port = port!, User = user!, Credential = credential!,
            Via = route is null ? null : await routes.Via(route.Id, cancellationToken),
        };
        await using (var early = await database.OpenConnectionAsync(cancellationToken))
        {
            // Before the credential is sent anywhere.
            await RefuseTaken(early, target, route?.Id, except: server.Id);
        }

        if (!request.ChangesTheWay)
        {
            return new Registration(target, route, expected, apiAddress);
        }

        // What was chosen for a user stays chosen when only his password changes.
        expected = expected with { Login = expected.Login ?? (request.Login is null && target.User == before.User ? before.Login.Kind : null) };

        var presented = await hosts.ReadHostKey(target.Address, target.Port, target.Via, cancellationToken);
        if (presented != before.PinnedKey || request.HostKey is not null)
        {
            AcceptedHostKey.Require(request.HostKey, presented, target.ToString());
        }

        return new Registration(target with { PinnedKey = presented }, route, expected, apiAddress);
    }

    /// <summary>What is installed lies in the login's folder, and would be found by nobody after a change to another.</summary>
    private static void RefuseToLeave(Server server, HostLogin login)
    {
        if (server.Components.Count > 0 && login.Folder != server.Login.Folder)
        {
            throw new InvalidInputException("login",
                $"would look for what is installed on {server.Name} in {login.Folder}, and it lies in {server.Login.Folder}. Uninstall first, then change the login, then install again");
        }
    }

    private static IReadOnlyList<StoredChange> Changes(Server server, HostTarget before, Registration wanted, OsFamily? system, EditServer request)
    {
        var after = wanted.Target;
        return StoredChange.Of(
            new("name", $"'{server.Name}'", $"'{after.DisplayName}'"),
            new("address", $"{before.Address.InUrl}:{before.Port}", $"{after.Address.InUrl}:{after.Port}"),
            new("the way to it", WayOf(server.SshRoute), WayOf(wanted.Route?.Name)),
            new("user", before.User.Text, after.User.Text),
            after.Login.Kind == before.Login.Kind ? null : new("login", HostLogin.Words(before.Login.Kind, before.User), HostLogin.Words(after.Login.Kind, after.User)),
            after.Login.Kind == before.Login.Kind ? new("home folder", before.Login.Home, after.Login.Home) : null,
            new("system", server.OperatingSystem?.Name() ?? "unknown", system?.Name() ?? "unknown"),
            request.ChangesCredential ? new("credential", null, $"a {after.Credential}") : null,
            new("host key", $"{before.PinnedKey}", $"{after.PinnedKey}"),
            AddressOfProduct(server.ApiAddress, wanted.ApiAddress));
    }

    /// <summary>What nobody knows before the product has logged in, as far as it was asked for.</summary>
    private static IReadOnlyList<StoredChange> OnlyFoundThere(Server server, HostTarget before, Registration wanted, EditServer request) => !request.ChangesTheWay ? [] : StoredChange.Of(
        new StoredChange("login", HostLogin.Words(before.Login.Kind, before.User), wanted.Expected.Login is { } kind ? HostLogin.Words(kind, wanted.Target.User) : "what is found there"),
        request.OperatingSystem is null ? null : new("system", server.OperatingSystem?.Name() ?? "unknown", wanted.Expected.System?.Name() ?? "what is found there"));

    private static StoredChange? AddressOfProduct(string? before, string? after) =>
        before == after ? null : new("the product's address", before ?? "its own", $"{after ?? "its own"}, in use from the next install on");

    private static string WayOf(string? route) => route is null ? "none but the network's" : $"the SSH route '{route}'";

    private static string ProofOf(HostTarget target) =>
        $"The product logs in on {target} as {target.User} with the {target.Credential} and looks what that user may do there. Where that fails, nothing is kept.";
}
