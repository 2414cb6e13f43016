using System.Text.Json;
using Dapper;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.Servers;

/// <summary>The registered hosts: adding, finding, removing, and the way to connect to one.</summary>
public sealed partial class Servers(NpgsqlDataSource database, Secrets secrets, SecretRedactor redactor, IHosts hosts)
{
    internal const string CredentialPurpose = "servers.credential";
    internal const string TokenPurpose = "servers.report-token";

    // Of two who register the same host at once, the second must see the first.
    private const string OneAfterAnother = "select pg_advisory_xact_lock(hashtextextended('servers.add', 0))";
    private const string Columns =
        """
        s.id, s.name, s.installation, s.address, s.ssh_port, s.ssh_user, s.authentication, s.host_key_algorithm, s.host_key_fingerprint, s.api_address, s.created_at, s.last_run_id,
        coalesce((select json_agg(json_build_object('name', c.name, 'version', c.version, 'image', c.image) order by c.name)
                  from servers.component c where c.server_id = s.id), '[]')::text as components
        """;

    /// <summary>Registers a host. Connects once, so that a wrong password or key is told now and not at three in the morning.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="HostRejectedException">The host refuses: unknown or changed key, wrong password.</exception>
    /// <exception cref="HostUnavailableException">The host cannot be reached.</exception>
    public async Task<Server> Add(AddServer request, string who, CancellationToken cancellationToken = default)
    {
        if (request.Installation == InstallationType.Manual)
        {
            return await AddManual(request, who, cancellationToken);
        }

        var (name, target, apiAddress) = await Check(request, cancellationToken);
        await using (var early = await database.OpenConnectionAsync(cancellationToken))
        {
            // Before the credential is sent anywhere.
            await RefuseTaken(early, target);
        }

        await using (await hosts.Connect(target, cancellationToken))
        {
        }

        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAfterAnother, transaction: transaction);
        await RefuseTaken(connection, target);
        var token = await Tokens.IssueForServer(transaction, id, name.Text);
        await connection.ExecuteAsync(
            """
            insert into servers.server (id, name, address, ssh_port, ssh_user, authentication, credential, report_token,
                                        host_key_algorithm, host_key_fingerprint, api_address, created_by)
            values (@id, @name, @address, @port, @user, @authentication, @credential, @token, @algorithm, @fingerprint, @apiAddress, @who)
            """,
            new
            {
                id, name = name.Text, address = target.Address.Text, port = target.Port.Number, user = target.User.Text,
                authentication = AuthenticationOf(target.Credential),
                credential = secrets.Protect(CredentialPurpose, id, StoredCredential.Of(target.Credential).ToJson()),
                token = secrets.Protect(TokenPurpose, id, token),
                algorithm = target.PinnedKey!.Algorithm, fingerprint = target.PinnedKey.Fingerprint, apiAddress = apiAddress?.ToString().TrimEnd('/'), who,
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

    /// <summary>Everything needed to connect, with the credential. Never stored or logged.</summary>
    public async Task<HostTarget> Target(Guid id, CancellationToken cancellationToken = default)
    {
        var server = await Get(id.ToString(), cancellationToken);
        if (server.Installation == InstallationType.Manual)
        {
            throw NoLogin(server);
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var credential = await connection.QuerySingleAsync<string>("select credential from servers.server where id = @id", new { id });
        return new HostTarget
        {
            DisplayName = server.Name,
            Address = HostAddress.Parse(server.Address!),
            Port = Hosts.SshPort.Parse(server.SshPort!.Value),
            User = Hosts.SshUser.Parse(server.SshUser!),
            Credential = Learn(StoredCredential.FromJson(secrets.Unprotect(CredentialPurpose, id, credential))).ToCredential(),
            PinnedKey = server.HostKey,
        };
    }

    /// <summary>A leased connection to the server's host.</summary>
    public async Task<IHost> Connect(Guid id, CancellationToken cancellationToken = default) =>
        await hosts.Connect(await Target(id, cancellationToken), cancellationToken);

    /// <summary>The token with which the host's agent and monitor report.</summary>
    public async Task<string> ReportToken(Guid id, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return secrets.Unprotect(TokenPurpose, id, await connection.QuerySingleAsync<string>("select report_token from servers.server where id = @id", new { id }));
    }

    internal static Task SetLastRun(NpgsqlTransaction transaction, Guid serverId, Guid runId) =>
        transaction.Connection!.ExecuteAsync("update servers.server set last_run_id = @runId where id = @serverId", new { serverId, runId }, transaction);

    internal async Task SetInstalled(Guid serverId, IReadOnlyList<(InstalledComponent Component, Guid? Configuration)> installed, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            insert into servers.component (server_id, name, version, image, configuration_id) values (@serverId, @Name, @Version, @Image, @Configuration)
            on conflict (server_id, name) do update
                set version = excluded.version, image = excluded.image, configuration_id = excluded.configuration_id, installed_at = now()
            """,
            installed.Select(i => new { serverId, i.Component.Name, i.Component.Version, i.Component.Image, i.Configuration }));
    }

    internal async Task<bool> Exists(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<bool>("select exists (select from servers.server where id = @id)", new { id });
    }

    internal async Task SetUninstalled(Guid serverId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from servers.component where server_id = @serverId", new { serverId });
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

    private async Task<(DisplayName Name, HostTarget Target, Uri? ApiAddress)> Check(AddServer request, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        var name = errors.Parse<DisplayName>("name", request.Name);
        var address = errors.Parse<HostAddress>("address", request.Address);
        var port = errors.Parse<SshPort>("sshPort", request.SshPort.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var user = errors.Parse<SshUser>("sshUser", request.SshUser);
        var credential = CredentialOf(request, errors);
        var apiAddress = ApiAddresses.Parse("apiAddress", request.ApiAddress, errors);
        errors.ThrowIfAny();
        Learn(StoredCredential.Of(credential!));

        var presented = await hosts.ReadHostKey(address!, port!, cancellationToken);
        RequireAccepted(request.HostKey, presented, $"{name} ({address!.InUrl}:{port})");
        return (name!, new HostTarget
        {
            DisplayName = name!.Text, Address = address, Port = port!, User = user!, Credential = credential!, PinnedKey = presented,
        }, apiAddress);
    }

    private static void RequireAccepted(string? accepted, HostKey presented, string host)
    {
        if (string.IsNullOrWhiteSpace(accepted))
        {
            throw new HostRejectedException(HostProblem.HostKeyUnknown,
                $"The host {host} presents the key {presented}. Compare it with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on its console), then repeat the request with this fingerprint as hostKey.")
            {
                Field = "hostKey", Presented = presented,
            };
        }

        if (accepted.Trim() != presented.Fingerprint)
        {
            throw new HostRejectedException(HostProblem.HostKeyChanged,
                $"The host {host} presents the key {presented}, but {accepted.Trim()[..Math.Min(100, accepted.Trim().Length)]} was accepted. Either the host was set up anew, or somebody is in between. Nothing was sent to it.")
            {
                Field = "hostKey", Presented = presented, Expected = new HostKey(presented.Algorithm, accepted.Trim()),
            };
        }
    }

    private static HostCredential? CredentialOf(AddServer request, InputErrors errors)
    {
        // Larger than any real key or password, small enough to keep in one row.
        const int longest = 64 * 1024;
        if (request.Password?.Length > longest || request.PrivateKey?.Length > longest || request.Passphrase?.Length > longest)
        {
            errors.Add(request.Password?.Length > longest ? "password" : "privateKey", $"must have at most {longest} characters");
            return null;
        }

        OneLine("password", request.Password);
        OneLine("passphrase", request.Passphrase);
        if (request.PrivateKey?.Contains('\0', StringComparison.Ordinal) == true)
        {
            errors.Add("privateKey", "must not contain a NUL character: give the key's text as ssh-keygen wrote it");
        }

        switch (request.Password, request.PrivateKey)
        {
            case (null or "", null or ""):
                errors.Add("password", "is needed, or privateKey in its place");
                return null;
            case (not (null or ""), not (null or "")):
                errors.Add("password", "cannot be combined with privateKey: give one of them");
                return null;
            case (null or "", _):
                return new PrivateKeyCredential(request.PrivateKey!, request.Passphrase);
            default:
                if (!string.IsNullOrEmpty(request.Passphrase))
                {
                    errors.Add("passphrase", "belongs to privateKey, and there is none");
                }

                return new PasswordCredential(request.Password!);
        }

        // Neither can be typed at a prompt; mostly it is the line end of a file that came along.
        void OneLine(string field, string? secret)
        {
            if (secret?.IndexOfAny(['\0', '\r', '\n']) >= 0)
            {
                errors.Add(field, "must be one line, without line breaks and NUL characters");
            }
            else if (secret?.Length is > 0 and < SecretRedactor.ShortestPassword)
            {
                errors.Add(field, $"must have at least {SecretRedactor.ShortestPassword} characters: a shorter one cannot be told from other text, and so not be kept out of logs. Give the host's user a longer one");
            }
        }
    }

    private static string AuthenticationOf(HostCredential credential) => credential is PasswordCredential ? "password" : "key";

    private StoredCredential Learn(StoredCredential credential)
    {
        foreach (var secret in new[] { credential.Password, credential.PrivateKey, credential.Passphrase }.OfType<string>())
        {
            redactor.Learn(secret);
        }

        return credential;
    }

    /// <summary>One host is one server: a second registration would take over the DNS and the agent of the first.</summary>
    private static async Task RefuseTaken(NpgsqlConnection connection, HostTarget target, Guid? except = null)
    {
        var others = await connection.QueryAsync<Other>(
            """
            select * from (
                select name, address, ssh_port, lower(name) = lower(@name) as same_name, address = @address and ssh_port = @port as same_address, host_key_fingerprint = @key as same_key
                from servers.server where id is distinct from @except) s
            where same_name or same_address or same_key
            """,
            new { name = target.DisplayName, address = target.Address.Text, port = target.Port.Number, key = target.PinnedKey!.Fingerprint, except });
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

    private sealed record Row(
        Guid Id, string Name, string Installation, string? Address, int? SshPort, string? SshUser, string? Authentication, string? HostKeyAlgorithm, string? HostKeyFingerprint,
        string? ApiAddress, DateTime CreatedAt, Guid? LastRunId, string Components)
    {
        public Server ToServer() => new()
        {
            Id = Id, Name = Name, Installation = Enum.Parse<InstallationType>(Installation, ignoreCase: true), Address = Address, SshPort = SshPort, SshUser = SshUser,
            Authentication = Authentication is null ? null : Enum.Parse<Authentication>(Authentication, ignoreCase: true),
            HostKey = HostKeyFingerprint is null ? null : new HostKey(HostKeyAlgorithm!, HostKeyFingerprint),
            ApiAddress = ApiAddress, CreatedAt = CreatedAt, LastRunId = LastRunId,
            Components = JsonSerializer.Deserialize<InstalledComponent[]>(Components, Engine.EngineJson.Options)!,
        };
    }

    private sealed record Other(string Name, string Address, int SshPort, bool SameName, bool SameAddress, bool SameKey);
}
