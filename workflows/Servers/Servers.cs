using System.Text.Json;
using Dapper;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Routes;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.Servers;

/// <summary>The registered hosts: adding, finding, removing, and the way to connect to one.</summary>
public sealed partial class Servers(NpgsqlDataSource database, Secrets secrets, SecretRedactor redactor, HostCredentials credentials, SshRoutes routes, IHosts hosts)
{
    private const string TokenPurpose = "servers.report-token";
    private const string Columns =
        """
        s.id, s.name, s.installation, s.address, s.ssh_port, s.ssh_user, s.authentication, s.host_key_algorithm, s.host_key_fingerprint, s.login, s.login_home, s.operating_system,
        s.api_address, s.statistics, s.created_at, s.last_run_id,
        (select h.address from servers.route_hop h where h.route_id = s.route_id and h.position = 1) as first_hop,
        s.route_id as ssh_route_id, (select r.name from servers.route r where r.id = s.route_id) as ssh_route,
        coalesce((select json_agg(json_build_object('name', c.name, 'version', c.version, 'image', c.image, 'digest', c.image_digest,
                             'configurationDigest', c.configuration_digest, 'specification', c.specification, 'stoppedBy', c.stopped_by) order by c.name)
                  from servers.component c where c.server_id = s.id), '[]')::text as components
        """;

    /// <summary>Registers a host. Connects once, so that a wrong password or key is told now and not at three in the morning.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="HostRejectedException">The host refuses: unknown or changed key, wrong password.</exception>
    /// <exception cref="HostUnavailableException">The host cannot be reached.</exception>
    public async Task<PreparedChange<Server>> Add(AddServer request, string who, CancellationToken cancellationToken = default)
    {
        if (request.Installation == InstallationType.Manual)
        {
            return await AddManual(request, who, cancellationToken);
        }

        var wanted = await Check(request, cancellationToken);
        await using (var early = await database.OpenConnectionAsync(cancellationToken))
        {
            // Before the credential is sent anywhere.
            await RefuseTaken(early, wanted.Target, wanted.Route?.Id);
        }

        var changes = StoredChange.Of(
            new("server", null, $"{wanted.Target}"), new("login", null, $"{wanted.Target.User} with a {wanted.Target.Credential}"), new("host key", null, $"{wanted.Target.PinnedKey}"),
            new("the way to it", null, WayOf(wanted.Route?.Name)), new("the product's address", null, wanted.ApiAddress ?? "its own"));
        return new PreparedChange<Server>($"add the server {wanted.Target.DisplayName}", changes, ct => Keep(wanted, who, ct)) { Proof = ProofOf(wanted.Target) };
    }

    private async Task<Server> Keep(Registration wanted, string who, CancellationToken cancellationToken)
    {
        var (login, system) = await FirstContact(wanted.Target, wanted.Expected, cancellationToken);
        var target = wanted.Target with { Login = login };
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAfterAnother, transaction: transaction);
        await RefuseTaken(connection, target, wanted.Route?.Id);
        var token = await Tokens.IssueForServer(transaction, id, target.DisplayName);
        await connection.ExecuteAsync(
            """
            insert into servers.server (id, name, address, ssh_port, ssh_user, authentication, credential, report_token,
                                        host_key_algorithm, host_key_fingerprint, login, login_home, operating_system, api_address, route_id, created_by)
            values (@id, @name, @address, @port, @user, @authentication, @credential, @token, @algorithm, @fingerprint, @login, @home, @system, @ApiAddress, @route, @who)
            """,
            new
            {
                id, name = target.DisplayName, address = target.Address.Text, port = target.Port.Number, user = target.User.Text,
                authentication = HostCredentials.AuthenticationOf(target.Credential),
                credential = credentials.Protect(CredentialPurpose, id, target.Credential),
                token = secrets.Protect(TokenPurpose, id, token),
                algorithm = target.PinnedKey!.Algorithm, fingerprint = target.PinnedKey.Fingerprint,
                login = LoginOf(target), home = target.Login.Home, system = SystemOf(system), wanted.ApiAddress, route = wanted.Route?.Id, who,
            },
            transaction);
        await transaction.CommitAsync(cancellationToken);
        return await Get(id.ToString(), cancellationToken);
    }

    /// <summary>Finds a server by its id or its name, in any case of letters.</summary>
    /// <exception cref="ServerNotFoundException">There is none.</exception>
    public async Task<Server> Get(string idOrName, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<Row>(
            $"select {Columns} from servers.server s where s.id = @id or lower(s.name) = lower(@name)",
            new { id = Guid.TryParse(idOrName, out var id) ? id : Guid.Empty, name = idOrName.Replace("\0", "", StringComparison.Ordinal) });
        return row?.ToServer() ?? throw new ServerNotFoundException(idOrName);
    }

    /// <summary>A page in the order of names.</summary>
    /// <param name="filter">Part of a name; null for all.</param>
    /// <param name="after">The last name of the page before.</param>
    public async Task<IReadOnlyList<Server>> List(string? filter, string? after, int limit, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>(
            $"""
            select {Columns} from servers.server s
            where (@filter::text is null or position(lower(@filter) in lower(s.name)) > 0) and (@after::text is null or lower(s.name) > lower(@after))
            order by lower(s.name) limit @limit
            """,
            new { filter, after, limit });
        return [.. rows.Select(r => r.ToServer())];
    }

    /// <summary>The token with which the host's agent and monitor report.</summary>
    public async Task<string> ReportToken(Guid id, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return secrets.Unprotect(TokenPurpose, id, await connection.QuerySingleAsync<string>("select report_token from servers.server where id = @id", new { id }));
    }

    /// <summary>As <see cref="ReportToken"/>; null where there is no such server.</summary>
    internal async Task<string?> FindReportToken(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<string>("select report_token from servers.server where id = @id", new { id }) is { } kept ? secrets.Unprotect(TokenPurpose, id, kept) : null;
    }

    internal static Task SetLastRun(NpgsqlTransaction transaction, Guid serverId, Guid runId) =>
        transaction.Connection!.ExecuteAsync("update servers.server set last_run_id = @runId where id = @serverId", new { serverId, runId }, transaction);

    internal async Task SetInstalled(Guid serverId, IReadOnlyList<InstalledComponent> installed, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            insert into servers.component (server_id, name, version, image, image_digest, specification) values (@serverId, @Name, @Version, @Image, @Digest, @Specification)
            on conflict (server_id, name) do update set version = excluded.version, image = excluded.image, image_digest = excluded.image_digest,
                specification = excluded.specification, stopped_by = null, installed_at = now()
            """,
            installed.Select(i => new { serverId, i.Name, i.Version, i.Image, i.Digest, i.Specification }));
        await connection.ExecuteAsync("delete from servers.drift where server_id = @serverId and component = any(@names)", new { serverId, names = installed.Select(i => i.Name).ToArray() });
    }

    /// <summary>The component's container is as specified now. Nothing happens where it is not installed yet.</summary>
    internal async Task SetSpecification(Guid serverId, string component, string specification, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            with made as (update servers.component set specification = @specification where server_id = @serverId and name = @component)
            delete from servers.drift where server_id = @serverId and component = @component
            """, new { serverId, component, specification });
    }

    /// <summary>An operator wants the component stopped, or running again: what stands in the way of that has not drifted.</summary>
    /// <param name="by">The run that stops it; null when it is to run.</param>
    internal async Task SetStopped(Guid serverId, string component, Guid? by, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            with wanted as (update servers.component set stopped_by = @by where server_id = @serverId and name = @component)
            delete from servers.drift where server_id = @serverId and component = @component and kind in ('stopped', 'running')
            """, new { serverId, component, by });
    }

    internal async Task SetStatistics(Guid serverId, StatisticsWay statistics, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("update servers.server set statistics = @way where id = @serverId", new { serverId, way = statistics.ToString().ToLowerInvariant() });
    }

    /// <summary>Null where there is no such server.</summary>
    internal async Task<string?> NameOf(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<string>("select name from servers.server where id = @id", new { id });
    }

    // A host asks every few seconds how its run goes; the product may be started anew in between.
    private static readonly TimeSpan LastWords = TimeSpan.FromMinutes(5);

    internal async Task SetUninstalled(Guid serverId, CancellationToken cancellationToken)
    {
        var server = await Get(serverId.ToString(), cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            with gone as (delete from servers.component where server_id = @serverId), looks as (delete from servers.drift_check where server_id = @serverId),
                 marked as (update servers.server set uninstalled_at = now() where id = @serverId)
            delete from servers.drift where server_id = @serverId
            """, new { serverId }, transaction);
        // What was on the host has no more to say. By hand, the host still reports the end of this very run with it.
        if (server.Installation == InstallationType.Automatic)
        {
            await RenewReportToken(transaction, server);
        }
        else
        {
            await Tokens.EndForServer(transaction, serverId, LastWords);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    internal async Task Delete(Guid id, Func<NpgsqlTransaction, Task> within, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await Tokens.RevokeForServer(transaction, id);
        await within(transaction);
        await connection.ExecuteAsync("delete from servers.server where id = @id", new { id }, transaction);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<Registration> Check(AddServer request, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        var name = errors.Parse<DisplayName>("name", request.Name);
        var address = errors.Parse<HostAddress>("address", request.Address);
        var port = errors.Parse<SshPort>("sshPort", request.SshPort.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var user = errors.Parse<SshUser>("sshUser", request.SshUser);
        var credential = credentials.Check(request.Password, request.PrivateKey, request.Passphrase, errors);
        var apiAddress = ApiAddresses.Parse("apiAddress", request.ApiAddress, errors);
        var route = await RouteOf(request.SshRoute, errors, cancellationToken);
        var expected = Expected.Parse(request.Login, request.OperatingSystem, errors);
        errors.ThrowIfAny();

        var via = route is null ? null : await routes.Via(route.Id, cancellationToken);
        var presented = await hosts.ReadHostKey(address!, port!, via, cancellationToken);
        AcceptedHostKey.Require(request.HostKey, presented, $"{name} ({address!.InUrl}:{port})");
        var target = new HostTarget { DisplayName = name!.Text, Address = address, Port = port!, User = user!, Credential = credential!, PinnedKey = presented, Via = via };
        return new Registration(target, route, expected, apiAddress?.ToString().TrimEnd('/'));
    }

    /// <summary>A host as it is to be kept, when the login has been proven.</summary>
    private sealed record Registration(HostTarget Target, SshRoute? Route, Expected Expected, string? ApiAddress);

    private async Task<SshRoute?> RouteOf(string? name, InputErrors errors, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            return null;
        }

        var route = await routes.Find(name, cancellationToken);
        if (route is null)
        {
            errors.Add("sshRoute", "must be the name of an SSH route; msctl routes list shows them all");
        }

        return route;
    }

    private sealed record Row(
        Guid Id, string Name, string Installation, string? Address, int? SshPort, string? SshUser, string? Authentication, string? HostKeyAlgorithm, string? HostKeyFingerprint,
        string Login, string LoginHome, string? OperatingSystem, string? ApiAddress, string Statistics, DateTime CreatedAt, Guid? LastRunId, string? FirstHop, Guid? SshRouteId, string? SshRoute, string Components)
    {
        public Server ToServer() => new()
        {
            Id = Id, Name = Name, Installation = Enum.Parse<InstallationType>(Installation, ignoreCase: true), Address = Address, SshPort = SshPort, SshUser = SshUser,
            Authentication = Authentication is null ? null : Enum.Parse<Authentication>(Authentication, ignoreCase: true),
            HostKey = HostKeyFingerprint is null ? null : new HostKey(HostKeyAlgorithm!, HostKeyFingerprint),
            Login = new HostLogin(Enum.Parse<LoginKind>(Login, ignoreCase: true), LoginHome),
            OperatingSystem = OperatingSystem is null ? null : Enum.Parse<OsFamily>(OperatingSystem, ignoreCase: true),
            ApiAddress = ApiAddress, Statistics = Enum.Parse<StatisticsWay>(Statistics, ignoreCase: true), FirstHop = FirstHop, SshRouteId = SshRouteId, SshRoute = SshRoute, CreatedAt = CreatedAt, LastRunId = LastRunId,
            Components = JsonSerializer.Deserialize<InstalledComponent[]>(Components, Engine.EngineJson.Options)!,
        };
    }
}
