using System.Globalization;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Credentials;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.Servers;

/// <content>The way to a server's host.</content>
public sealed partial class Servers
{
    internal const string CredentialPurpose = "servers.credential";

    /// <summary>Everything needed to connect, with the credential and those of the jump hosts before it. Never stored or logged.</summary>
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
            Credential = credentials.Unprotect(CredentialPurpose, id, credential),
            PinnedKey = server.HostKey,
            AcceptKeyBy = $"msctl servers host-key {server.Argument}",
            Login = server.Login,
            Via = server.SshRouteId is { } route ? await routes.Via(route, cancellationToken) : null,
        };
    }

    /// <summary>Asks a host for its key, through a route or directly, before any credential is sent to it.</summary>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    public async Task<HostKey> ReadHostKey(string? address, int sshPort, string? sshRoute, CancellationToken cancellationToken = default)
    {
        var errors = new InputErrors();
        var host = errors.Parse<HostAddress>("address", address);
        var port = errors.Parse<SshPort>("sshPort", sshPort.ToString(CultureInfo.InvariantCulture));
        var route = await RouteOf(sshRoute, errors, cancellationToken);
        errors.ThrowIfAny();
        return await hosts.ReadHostKey(host!, port!, route is null ? null : await routes.Via(route.Id, cancellationToken), cancellationToken);
    }

    /// <summary>Stores another credential in the place of one. Nothing happens where it is stored already.</summary>
    /// <exception cref="StepRejectedException">Somebody has stored a third one meanwhile.</exception>
    internal async Task SwitchCredential(Guid id, HostCredential from, HostCredential to, CancellationToken cancellationToken)
    {
        var version = await Version(id, cancellationToken);
        var target = await Target(id, cancellationToken);
        if (target.Credential == to)
        {
            return;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var kept = target.Credential != from ? 0 : await connection.ExecuteAsync(
            "update servers.server set authentication = @authentication, credential = @credential where id = @id and xmin::text = @version",
            new { id, version, authentication = HostCredentials.AuthenticationOf(to), credential = credentials.Protect(CredentialPurpose, id, to) });
        if (kept == 0)
        {
            throw new StepRejectedException($"The credential of {target} was changed by somebody else during the run. What they have stored stays.");
        }
    }

    /// <summary>What to take away by hand once the product needs its login no more; null where it has put no key of its own on the host.</summary>
    internal async Task<string?> KeyThatStays(Guid id, CancellationToken cancellationToken)
    {
        var server = await Get(id.ToString(), cancellationToken);
        if (server.Authentication != Authentication.Key || (await Target(id, cancellationToken)).Credential is not PrivateKeyCredential key)
        {
            return null;
        }

        var what = RotateInput.Rotated(PendingCredential.Words(key), isMade: true);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return !await connection.ExecuteScalarAsync<bool>("select exists (select from servers.event where server_id = @id and starts_with(what, @what))", new { id, what })
            ? null
            : $"The product's own key stays on {server.Address}, for its login there. When {server.Name} has been removed from the product, take it away by hand: "
                + $"in ~/.ssh/authorized_keys of user {server.SshUser}, the line with 'managed-servers server={id}'.";
    }

    /// <summary>Logs in, and looks at what the login may do there and what the host runs.</summary>
    private async Task<(HostLogin Login, OsFamily System)> FirstContact(HostTarget target, Expected expected, CancellationToken cancellationToken)
    {
        await hosts.ProveWay(target, cancellationToken);
        await using var host = await hosts.Connect(target with { Login = HostLogin.Root }, cancellationToken);
        var facts = await host.Facts([], cancellationToken);
        expected.RequireSystem(facts, target);
        return ((await host.ReadLogin(cancellationToken)).Choose(expected.Login, target), facts.Family);
    }

    private static string LoginOf(HostTarget target) => target.Login.Kind.ToString().ToLowerInvariant();

    private static string? SystemOf(OsFamily? system) => system?.ToString().ToLowerInvariant();

    /// <summary>A leased connection to the server's host.</summary>
    public async Task<IHost> Connect(Guid id, CancellationToken cancellationToken = default) =>
        await hosts.Connect(await Target(id, cancellationToken), cancellationToken);
}
