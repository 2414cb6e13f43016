using System.Globalization;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using ManagedServers.Workflows.Settings;
using Npgsql;

namespace ManagedServers.Workflows.Routes;

/// <summary>The stored SSH routes: adding, changing, finding, removing, and the way through one.</summary>
public sealed partial class SshRoutes(NpgsqlDataSource database, HostCredentials credentials, SecretRedactor redactor, IHosts hosts)
{
    private const int MostHops = 5;
    private const int LongestReason = 500;
    private const int EventsShown = 200;
    private const string ProofOfHops = "The product logs in on one hop after the other, each through those before it, and looks at the key of each before anything secret is sent to it. Where that fails, nothing is kept.";

    /// <summary>Stores a route after signing in on every one of its hops.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="HostRejectedException">A hop refuses: a key that was not accepted, a wrong password. The field begins with its place.</exception>
    /// <exception cref="HostUnavailableException">A hop cannot be reached.</exception>
    public async Task<PreparedChange<SshRoute>> Add(AddRoute request, string who, CancellationToken cancellationToken = default)
    {
        var errors = new InputErrors();
        var name = errors.Parse<DisplayName>("name", request.Name);
        var hops = Hops(request.Hops, [], errors);
        if (name is not null && await Find(name.Text, cancellationToken) is { } same)
        {
            errors.Add("name", Taken(same.Name));
        }

        errors.ThrowIfAny();
        return new PreparedChange<SshRoute>($"add the SSH route {name}", [new("route", null, $"'{name}'"), new("hops", null, Words(hops, []))], ct => Keep(name!.Text, hops, who, ct)) { Proof = ProofOfHops };
    }

    private async Task<SshRoute> Keep(string name, IReadOnlyList<RouteHop> hops, string who, CancellationToken cancellationToken)
    {
        var proven = await hosts.Prove(name, hops, cancellationToken);
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await Unique(name, () => connection.ExecuteAsync("insert into servers.route (id, name, created_by) values (@id, @name, @who)", new { id, name, who }, transaction));
        await Keep(transaction, id, proven);
        await Note(transaction, id, who, $"added with {Count(proven)}", null);
        await transaction.CommitAsync(cancellationToken);
        return await Get(id.ToString(), cancellationToken);
    }

    /// <summary>Changes a route. Other hops are proven before anything is kept; servers use them from their next connection on.</summary>
    /// <exception cref="RouteNotFoundException">There is no such route.</exception>
    /// <exception cref="ServerConflictException">Somebody else has changed it meanwhile.</exception>
    /// <inheritdoc cref="Add"/>
    public async Task<PreparedChange<SshRoute>> Edit(string idOrName, EditRoute request, string who, CancellationToken cancellationToken = default)
    {
        var route = await Get(idOrName, cancellationToken);
        var version = await Version(route.Id, cancellationToken);
        var before = await Stored(route.Id, cancellationToken);
        var errors = new InputErrors();
        var name = request.Name is null ? route.Name : errors.Parse<DisplayName>("name", request.Name)?.Text;
        var hops = request.Hops is null ? before : Hops(request.Hops, before, errors);
        if (request.Reason?.Length > LongestReason)
        {
            errors.Add("reason", $"must have at most {LongestReason} characters");
        }

        if (name is not null && await Find(name, cancellationToken) is { } same && same.Id != route.Id)
        {
            errors.Add("name", Taken(same.Name));
        }

        errors.ThrowIfAny();
        var proves = request.Hops is not null;
        return new PreparedChange<SshRoute>($"change the SSH route {route.Name}", Changes(route, name!, before, hops), async ct =>
        {
            var after = proves ? await hosts.Prove(name!, hops, ct) : before;
            var changes = Changes(route, name!, before, after);
            return changes.Count == 0 ? route : await Keep(route, version, name!, after, changes, request.Reason, who, ct);
        })
        {
            Proof = proves ? ProofOfHops : null, Servers = route.Servers,
            Notes = proves && route.Servers.Count > 0 ? ["Servers behind it are reached the new way from their next connection on."] : [],
        };
    }

    private async Task<SshRoute> Keep(
        SshRoute route, string version, string name, IReadOnlyList<RouteHop> hops, IReadOnlyList<StoredChange> changes, string? reason, string who, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var kept = 0;
        await Unique(name, async () => kept = await connection.ExecuteAsync("update servers.route set name = @name where id = @Id and xmin::text = @version", new { name, route.Id, version }, transaction));
        if (kept == 0)
        {
            throw new ServerConflictException("changed-meanwhile", $"The route {route.Name} was changed by somebody else at the same moment. Look at it and try again; nothing was changed by this request.");
        }

        await Keep(transaction, route.Id, hops);
        await Note(transaction, route.Id, who, $"changed {string.Join("; ", changes)}", reason);
        await transaction.CommitAsync(cancellationToken);
        return await Get(route.Id.ToString(), cancellationToken);
    }

    /// <exception cref="RouteNotFoundException">There is none.</exception>
    public async Task<SshRoute> Get(string idOrName, CancellationToken cancellationToken = default) =>
        await Find(idOrName, cancellationToken) ?? throw new RouteNotFoundException(idOrName);

    /// <summary>By id or name, in any case of letters; null when there is none.</summary>
    public async Task<SshRoute?> Find(string idOrName, CancellationToken cancellationToken = default) =>
        (await Read("r.id = @id or lower(r.name) = lower(@name)",
            new { id = Guid.TryParse(idOrName, out var id) ? id : Guid.Empty, name = idOrName.Replace("\0", "", StringComparison.Ordinal).Trim() }, cancellationToken)).SingleOrDefault();

    /// <summary>A page in the order of names.</summary>
    /// <param name="after">The last name of the page before.</param>
    public Task<IReadOnlyList<SshRoute>> List(string? after, int limit, CancellationToken cancellationToken = default) =>
        Read("@after::text is null or lower(r.name) > lower(@after)", new { after, limit }, cancellationToken, "limit @limit");

    /// <exception cref="RouteNotFoundException">There is no such route.</exception>
    /// <exception cref="ServerConflictException">Servers are reached through it.</exception>
    public async Task<PreparedChange<Nothing>> Remove(string idOrName, CancellationToken cancellationToken = default)
    {
        var route = await Get(idOrName, cancellationToken);
        if (route.Servers.Count > 0)
        {
            throw InUse(route);
        }

        var hops = await Stored(route.Id, cancellationToken);
        return new PreparedChange<Nothing>($"remove the SSH route {route.Name}", [new("route", $"'{route.Name}'", null), new("hops", $"{Words(hops, hops)}, with their secrets", null)], async ct =>
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            try
            {
                await connection.ExecuteAsync("delete from servers.route where id = @Id", new { route.Id });
                return Nothing.Value;
            }
            catch (PostgresException used) when (used.SqlState == PostgresErrorCodes.ForeignKeyViolation)
            {
                throw InUse(await Get(idOrName, ct));
            }
        });
    }

    /// <summary>Signs in on every hop. Changes nothing.</summary>
    /// <exception cref="RouteNotFoundException">There is no such route.</exception>
    public async Task<IReadOnlyList<HopTest>> Test(string idOrName, CancellationToken cancellationToken = default)
    {
        var route = await Get(idOrName, cancellationToken);
        return await hosts.Test(RouteChain.Targets(route.Name, await Stored(route.Id, cancellationToken)), cancellationToken);
    }

    /// <summary>What was done to the route, newest first.</summary>
    /// <exception cref="RouteNotFoundException">There is no such route.</exception>
    public async Task<IReadOnlyList<ServerEvent>> History(string idOrName, CancellationToken cancellationToken = default)
    {
        var route = await Get(idOrName, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var events = await connection.QueryAsync<(DateTime At, string Who, string What, string? Why)>(
            "select at, who, what, why from servers.route_event where route_id = @Id order by id desc limit @EventsShown", new { route.Id, EventsShown });
        return [.. events.Select(e => new ServerEvent(e.At, e.Who, e.What, e.Why))];
    }

    /// <summary>The last hop, with those before it: the host through which a server behind the route is reached.</summary>
    public async Task<HostTarget> Via(Guid id, CancellationToken cancellationToken = default)
    {
        var route = await Get(id.ToString(), cancellationToken);
        return RouteChain.Targets(route.Name, await Stored(id, cancellationToken))[^1];
    }

    private RouteHop[] Hops(IReadOnlyList<HopRequest>? asked, IReadOnlyList<RouteHop> before, InputErrors errors)
    {
        if (asked is not { Count: >= 1 and <= MostHops })
        {
            errors.Add("hops", $"must name 1 to {MostHops} jump hosts, in the order in which they are gone through");
        }

        List<RouteHop> hops = [];
        foreach (var (index, hop) in (asked ?? []).Take(MostHops).Index())
        {
            var field = $"hops[{index}].";
            var address = errors.Parse<HostAddress>(field + "address", hop?.Address);
            var port = errors.Parse<SshPort>(field + "sshPort", hop?.SshPort.ToString(CultureInfo.InvariantCulture));
            var user = errors.Parse<SshUser>(field + "sshUser", hop?.SshUser);
            var there = address is null ? null : before.FirstOrDefault(b => b.Address == address && b.Port == port);
            var keeps = there is not null && there.User == user && string.IsNullOrEmpty(hop!.Password) && string.IsNullOrEmpty(hop.PrivateKey) && string.IsNullOrEmpty(hop.Passphrase);
            var credential = keeps ? there!.Credential : credentials.Check(hop?.Password, hop?.PrivateKey, hop?.Passphrase, errors, field);
            AcceptedHostKey.Check(hop?.HostKey, field + "hostKey", errors);
            if (address is not null && port is not null && user is not null && credential is not null)
            {
                hops.Add(new RouteHop(address, port, user, credential, there?.Pinned, string.IsNullOrWhiteSpace(hop!.HostKey) ? null : hop.HostKey));
            }
        }

        return [.. hops];
    }

    private static IReadOnlyList<StoredChange> Changes(SshRoute route, string name, IReadOnlyList<RouteHop> before, IReadOnlyList<RouteHop> after) =>
        StoredChange.Of(new StoredChange("name", $"'{route.Name}'", $"'{name}'"), new StoredChange("hops", Words(before, before), Words(after, before)));

    private static ServerConflictException InUse(SshRoute route) => new("route-in-use",
        $"The route {route.Name} is the way to {string.Join(", ", route.Servers.Take(10))}{(route.Servers.Count > 10 ? $" and {route.Servers.Count - 10} more" : "")}. "
        + "Give them another way first: msctl servers edit NAME --route OTHER, or --route '' to reach it directly.");

    /// <summary>The hops in their order; of a secret only that it is another one than before.</summary>
    private static string Words(IReadOnlyList<RouteHop> hops, IReadOnlyList<RouteHop> before) => string.Join(", ", hops.Select(hop =>
    {
        var other = before.Any(b => b.Address == hop.Address && b.Port == hop.Port && b.User == hop.User && b.Credential != hop.Credential) ? "another " : "";
        var key = hop.Accepted is { } accepted && accepted != hop.Pinned?.Fingerprint ? accepted : hop.Pinned?.ToString() ?? "its key is not known yet";
        return $"{hop.User}@{hop.Address.InUrl}:{hop.Port} ({other}{hop.Credential}, {key})";
    }));

    private static string Taken(string name) => $"must be unique, and there is a route called '{name}' already";

    private static string Count(IReadOnlyList<RouteHop> hops) => hops.Count == 1 ? "one hop" : $"{hops.Count} hops";
}
