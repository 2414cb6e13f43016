using System.Security.Cryptography;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Settings;

/// <summary>Where a feature keeps secrets that <see cref="Secrets"/> has encrypted. Each registers its own, so that they are known before anything is written.</summary>
/// <param name="Purpose">That of the encryption.</param>
/// <param name="Query">Gives the row's id, the encrypted secret and <c>xmin</c>: <c>select id, credential, xmin from servers.server</c>. A null is no secret.</param>
public sealed record StoredSecrets(string Purpose, string Query);

/// <summary>
/// Teaches the redactor what is stored: all of it before the engine begins, then what other nodes have stored since, every few seconds and whenever somebody asks whether a text
/// holds a secret. What was deleted or replaced is forgotten within minutes.
/// </summary>
public sealed class KnownSecrets(
    NpgsqlDataSource database, IEnumerable<StoredSecrets> stored, Secrets secrets, SecretRedactor redactor, TimeProvider time, ILogger<KnownSecrets> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // All are read again then, which takes a second for some ten thousand.
    private static readonly TimeSpan Anew = TimeSpan.FromMinutes(10);

    // What was learned before its transaction was committed is read within this time.
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);
    private DateTimeOffset began = time.GetUtcNow();
    private bool forgets;
    private readonly SemaphoreSlim oneAtATime = new(1, 1);

    // Everything that was not committed by the last reading has been written by this transaction or a later one.
    private string? mark;

    /// <summary>Whether a secret stands in the text: of all that were stored by the last <see cref="Refresh"/>.</summary>
    public bool StandIn(string text) => redactor.Redact(text) != text;

    /// <summary>Learns what was stored since the last time, on whatever node.</summary>
    public async Task Refresh(CancellationToken cancellationToken = default)
    {
        await oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            var now = await connection.ExecuteScalarAsync<string>("select pg_snapshot_xmin(pg_current_snapshot())::xid::text");
            foreach (var kind in stored)
            {
                await Learn(connection, kind, cancellationToken);
            }

            mark = now;
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Refresh(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    // Also where the product ends before it has begun, because another part of it could not start: that is told by that part alone.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await RefreshOrLater(stoppingToken);
                if (!forgets && mark is not null && time.GetUtcNow() - began >= Anew)
                {
                    await ReadAnew(stoppingToken);
                }
                else if (forgets && time.GetUtcNow() - began >= Overlap)
                {
                    redactor.Forget();
                    forgets = false;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task ReadAnew(CancellationToken cancellationToken)
    {
        redactor.BeginAnew();
        (mark, began, forgets) = (null, time.GetUtcNow(), true);
        await RefreshOrLater(cancellationToken);
        // Where the database was away, what was known before is kept until all has been read.
        forgets = mark is not null;
    }

    private async Task RefreshOrLater(CancellationToken cancellationToken)
    {
        try
        {
            await Refresh(cancellationToken);
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or ObjectDisposedException)
        {
            logger.LogDebug(fault, "Secrets stored by other nodes could not be read; they are at the next try.");
        }
    }

    private async Task Learn(NpgsqlConnection connection, StoredSecrets kind, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"select s.id, s.secret from ({kind.Query}) s (id, secret, written) where s.secret is not null and ($1::xid is null or age(s.written) <= age($1::xid))", connection)
        {
            Parameters = { new() { Value = (object?)mark ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text } },
        };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            try
            {
                secrets.Unprotect(kind.Purpose, rows.GetGuid(0), rows.GetString(1));
            }
            catch (CryptographicException fault)
            {
                logger.LogWarning("A secret of {Purpose}, row {Row}, does not open: {Why}", kind.Purpose, rows.GetGuid(0), fault.Message);
            }
        }
    }
}
