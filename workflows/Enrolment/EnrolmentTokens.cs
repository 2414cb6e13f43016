using System.Security.Cryptography;
using System.Text;
using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Access;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>What a host shows and says when it enrols.</summary>
/// <param name="Claim">A secret of the host's own, made before it asks: with it the same host may ask again when the answer was lost.</param>
/// <param name="Owner">Whom the agent on the host reports for, if there is one.</param>
public sealed record Exchange(string? Claim, string? HostName, bool IsRoot, ExchangeOwner? Owner);

/// <param name="Api">The product to which it reports.</param>
public sealed record ExchangeOwner(string? ServerId, string? Api);

/// <summary>A server's own token, for its host.</summary>
public sealed record Exchanged(Guid ServerId, string Server, string Token);

/// <summary>The host is not enrolled, or not what it should be.</summary>
public sealed class EnrolmentRefusedException(string code, string message, bool isUnknown = false) : Exception(message)
{
    public string Code { get; } = code;

    /// <summary>Nobody knows who is asking.</summary>
    public bool IsUnknown { get; } = isUnknown;
}

/// <summary>Enrolment tokens: 32 random bytes, kept as SHA-256 only, of use once and for a time.</summary>
public sealed class EnrolmentTokens(NpgsqlDataSource database, Servers.Servers servers, IRuns runs, TimeProvider time)
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan Default = TimeSpan.FromHours(24);
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>A new token for the server's host; unused ones before it are of no use any more.</summary>
    /// <param name="run">With its end the token ends; null for none.</param>
    public async Task<(string Token, DateTimeOffset ExpiresAt)> Issue(Server server, TimeSpan lifetime, string who, Guid? run = null, CancellationToken cancellationToken = default)
    {
        var (token, expires) = (Tokens.NewText(), time.GetUtcNow() + lifetime);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            delete from servers.enrolment_token where server_id = @Id and used_at is null;
            insert into servers.enrolment_token (hash, server_id, created_by, expires_at, run_id) values (@hash, @Id, @who, @expires, @run);
            """,
            new { server.Id, hash = Hash(token), who, expires, run }, transaction);
        await Servers.Servers.Note(transaction, server.Id, who, $"made an enrolment token, valid until {expires:yyyy-MM-dd HH:mm} UTC");
        await transaction.CommitAsync(cancellationToken);
        return (token, expires);
    }

    /// <summary>The host has a token of its own: what was meant for its first contact is over.</summary>
    public async Task Withdraw(Guid serverId, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("delete from servers.enrolment_token where server_id = @serverId and used_at is null", new { serverId });
    }

    /// <summary>Exchanges a token for the server's own, once, in one transaction.</summary>
    /// <exception cref="EnrolmentRefusedException">It is unknown, used, expired; or the host is another server's.</exception>
    public async Task<Exchanged> Exchange(string token, Exchange host, string from, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<Row>(
            "select server_id, expires_at, used_at, used_by, claim, run_id from servers.enrolment_token where hash = @hash for update", new { hash = Hash(token) }, transaction)
            ?? throw new EnrolmentRefusedException("unknown-token", "The product does not know this enrolment token. Copy it whole, or make a new one: msctl servers enrol NAME --renew", isUnknown: true);
        var server = await servers.Get(row.ServerId.ToString(), cancellationToken);
        var name = Printable(host.HostName);
        if (string.IsNullOrEmpty(host.Claim) || host.Claim.Length is < 32 or > 200)
        {
            throw new InvalidInputException("claim", "must be a random text of 32 to 200 characters");
        }

        var claim = Hash(host.Claim);
        if (row.ExpiresAt <= time.GetUtcNow())
        {
            throw new EnrolmentRefusedException("expired-token", $"This enrolment token was good until {row.ExpiresAt:yyyy-MM-dd HH:mm} UTC. Make a new one, the run goes on waiting: msctl servers enrol {server.Argument} --renew", isUnknown: true);
        }

        if (row.UsedAt is not null)
        {
            if (row.Claim is { } first && CryptographicOperations.FixedTimeEquals(first, claim))
            {
                return new Exchanged(server.Id, server.Name, await servers.ReportToken(server.Id, cancellationToken));
            }

            await Servers.Servers.Note(transaction, server.Id, $"host {name} at {from}", "was refused: it showed an enrolment token that had been used already");
            await transaction.CommitAsync(cancellationToken);
            throw new EnrolmentRefusedException("used-token", $"This enrolment token was used at {row.UsedAt:yyyy-MM-dd HH:mm} UTC by {row.UsedBy}, and is good for one host once. "
                + $"If that was not you, somebody else has it: look at that host. A new one: msctl servers enrol {server.Argument} --renew", isUnknown: true);
        }

        await CheckRun(server, row.RunId, cancellationToken);
        await Check(server, host, cancellationToken);
        var by = $"{name} at {from}";
        await connection.ExecuteAsync("update servers.enrolment_token set used_at = @now, used_by = @by, claim = @claim where hash = @hash",
            new { now = time.GetUtcNow(), by, claim, hash = Hash(token) }, transaction);

        // A new host has a new token: whoever had this server's before reports no more.
        var own = await servers.RenewReportToken(transaction, server);
        await Servers.Servers.Note(transaction, server.Id, $"host {by}", "enrolled as this server");
        await transaction.CommitAsync(cancellationToken);
        return new Exchanged(server.Id, server.Name, own);
    }

    /// <summary>Looked at as the token is used: a run that was cancelled or has failed may be let go on, and its token is good again.</summary>
    private async Task CheckRun(Server server, Guid? runId, CancellationToken cancellationToken)
    {
        if (runId is not { } id)
        {
            return;
        }

        var state = (await runs.Get([id], cancellationToken)).SingleOrDefault()?.State;
        if (state is null or RunState.Succeeded or RunState.Failed or RunState.Cancelled)
        {
            throw new EnrolmentRefusedException("ended-token", $"This enrolment token was made for a run of {server.Name} that has ended (run {id}, {state?.ToString().ToLowerInvariant() ?? "gone"}), and has ended with it. "
                + $"Start another (msctl servers install {server.Argument} …), or let that one go on (msctl runs retry {id}).", isUnknown: true);
        }
    }

    private async Task Check(Server server, Exchange host, CancellationToken cancellationToken)
    {
        if (server.Installation != InstallationType.Manual)
        {
            throw new EnrolmentRefusedException("not-manual", $"{server.Name} has a login by now and is installed by the product itself: msctl servers install {server.Argument}");
        }

        if (!host.IsRoot)
        {
            throw new EnrolmentRefusedException("needs-root", $"{server.Name} is installed by root. Run the line again with sudo before it; the token is still good.");
        }

        if (host.Owner is { } owner && owner.ServerId != server.Id.ToString() && !(Guid.TryParse(owner.ServerId, out var id) && await IsOrphan(id, owner.Api, server, cancellationToken)))
        {
            throw new EnrolmentRefusedException("owned", $"This host is managed as server {Printable(owner.ServerId)} of the product at {Printable(owner.Api)} already, and a host can be only one server. "
                + $"Uninstall it there first; the token for {server.Name} is still good.");
        }
    }

    /// <summary>The host's agent reports to this product for a server that was removed.</summary>
    private async Task<bool> IsOrphan(Guid id, string? api, Server server, CancellationToken cancellationToken) =>
        Uri.TryCreate(api, UriKind.Absolute, out _) && (server.ApiAddress is null || new Uri(server.ApiAddress) == new Uri(api)) && await servers.NameOf(id, cancellationToken) is null;

    private static string Printable(string? text) => new([.. (text ?? "?").Where(c => !char.IsControl(c)).Take(100)]);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private sealed record Row(Guid ServerId, DateTime ExpiresAt, DateTime? UsedAt, string? UsedBy, byte[]? Claim, Guid? RunId);
}
