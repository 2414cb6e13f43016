using Dapper;
using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Servers;
using Npgsql;

namespace ManagedServers.Workflows.Credentials;

/// <param name="Previous">What it takes the place of; null before the run has begun.</param>
internal sealed record PendingCredential(Guid Id, HostCredential Credential, HostCredential? Previous)
{
    public static string Words(HostCredential credential) => credential is PrivateKeyCredential key ? $"the key {KeyPair.PublicHalf(key)}" : "the given password";

    // Printed nowhere with its secrets.
    public override string ToString() => Words(Credential);
}

/// <summary>Credentials that runs put in the place of others, encrypted, so that no run holds a secret.</summary>
public sealed class PendingCredentials(NpgsqlDataSource database, HostCredentials credentials)
{
    internal const string Purpose = "servers.pending-credential";
    internal const string PreviousPurpose = "servers.pending-credential.previous";

    internal Task Keep(NpgsqlTransaction transaction, Guid id, Guid server, HostCredential credential, string who) => transaction.Connection!.ExecuteAsync(
        "insert into servers.pending_credential (id, server_id, credential, created_by) values (@id, @server, @credential, @who)",
        new { id, server, credential = credentials.Protect(Purpose, id, credential), who }, transaction);

    internal async Task<PendingCredential?> Find(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<(string Credential, string? Previous)?>("select credential, previous from servers.pending_credential where id = @id", new { id });
        return row is not { } r ? null : new PendingCredential(id, credentials.Unprotect(Purpose, id, r.Credential), r.Previous is null ? null : credentials.Unprotect(PreviousPurpose, id, r.Previous));
    }

    internal async Task<PendingCredential> Get(Guid id, CancellationToken cancellationToken) => await Find(id, cancellationToken)
        ?? throw new StepRejectedException("The new credential of this run is no longer kept: it was taken back, or put in its place long ago. Start a new rotation: msctl servers rotate-credential NAME");

    /// <summary>What the new one takes the place of; the first word counts.</summary>
    internal async Task KeepPrevious(Guid id, HostCredential previous, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            "update servers.pending_credential set previous = @previous where id = @id and previous is null", new { id, previous = credentials.Protect(PreviousPurpose, id, previous) });
    }

    /// <summary>Forgets it and writes the server's history, both or neither, once.</summary>
    internal async Task Done(Guid id, Guid server, string who, string what, string? why, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await connection.ExecuteAsync("delete from servers.pending_credential where id = @id", new { id }, transaction) > 0)
        {
            await Servers.Servers.Note(transaction, server, who, what, why);
        }

        await transaction.CommitAsync(cancellationToken);
    }
}
