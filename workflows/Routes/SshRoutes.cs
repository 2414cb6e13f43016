using System.Globalization;
using Dapper;
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

    /// <summary>Stores a route after signing in on every one of its hops.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="HostRejectedException">A hop refuses: a key that was not accepted, a wrong password. The field begins with its place.</exception>
    /// <exception cref="HostUnavailableException">A hop cannot be reached.</exception>
    public async Task<SshRoute> Add(AddRoute request, string who, CancellationToken cancellationToken = default)
    {
        var errors = new InputErrors();
        var name = errors.Parse<DisplayName>("name", request.Name);
        var hops = Hops(request.Hops, [], errors);
        if (name is not null && await Find(name.Text, cancellationToken) is { } same)
        {
            errors.Add("name", Taken(same.Name));
        }

        errors.ThrowIfAny();
        var proven = await hosts.Prove(name!.Text, hops, cancellationToken);
        var id = Guid.CreateVersion7();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await Unique(name.Text, () => connection.ExecuteAsync("insert into servers.route (id, name, created_by) values (@id, @name, @who)", new { id, name = name.Text, who }, transaction));
        await Keep(transaction, id, proven);
        await Note(transaction, id, who, $"added with {Count(proven)}", null);
        await transaction.CommitAsync(cancellationToken);
        return await Get(id.ToString(), cancellationToken);
    }

    /// <summary>Changes a route. Other hops are proven before anything is kept; servers use them from their next connection on.</summary>
    /// <exception cref="RouteNotFoundException">There is no such route.</exception>
    /// <exception cref="ServerConflictException">Somebody else has changed it meanwhile.</exception>
    /// <inheritdoc cref="Add"/>
    public async Task<SshRoute> Edit(string idOrName, EditRoute request, string who, CancellationToken cancellationToken = default)
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
        var after = request.Hops is null ? before : await hosts.Prove(name!, hops, cancellationToken);
        List<string> changes = [];
        if (name != route.Name)
        {
            changes.Add($"name from '{route.Name}' to '{name}'");
        }

        if (request.Hops is not null)
        {
            changes.Add($"hops, now {string.Join(", ", after.Select(h => $"{h.User}@{h.Address.InUrl}:{h.Port} ({h.Credential}, {h.Pinned})"))}");
        }

        if (changes.Count == 0)
        {
            return route;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var kept = 0;
        await Unique(name!, async () => kept = await connection.ExecuteAsync("update servers.route set name = @name where id = @Id and xmin::text = @version", new { name, route.Id, version }, transaction));
        if (kept == 0)
        {
            throw new ServerConflictException("changed-meanwhile", $"The route {route.Name} was changed by somebody else at the same moment. Look at it and try again; nothing was changed by this request.");
        }

        await Keep(transaction, route.Id, after);
        await Note(transaction, route.Id, who, $"changed {string.Join("; ", changes)}", request.Reason);
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
    public async Task Remove(string idOrName, CancellationToken cancellationToken = default)
    {
        var route = await Get(idOrName, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await connection.ExecuteAsync("delete from servers.route where id = @Id", new { route.Id });
        }
        catch (PostgresException used) when (used.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            var servers = (await Get(idOrName, cancellationToken)).Servers;
            throw new ServerConflictException("route-in-use",
                $"The route {route.Name} is the way to {string.Join(", ", servers.Take(10))}{(servers.Count > 10 ? $" and {servers.Count - 10} more" : "")}. "
                + "Give them another way first: msctl servers edit NAME --route OTHER, or --route '' to reach it directly.");
        }
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
            if (address is not null && port is not null && user is not null && credential is not null)
            {
                hops.Add(new RouteHop(address, port, user, credential, there?.Pinned, string.IsNullOrWhiteSpace(hop!.HostKey) ? null : hop.HostKey));
            }
        }

        return [.. hops];
    }

    private static string Taken(string name) => $"must be unique, and there is a route called '{name}' already";

    private static string Count(IReadOnlyList<RouteHop> hops) => hops.Count == 1 ? "one hop" : $"{hops.Count} hops";
}
