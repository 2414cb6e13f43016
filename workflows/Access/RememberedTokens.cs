using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ManagedServers.Workflows.Access;

/// <summary>
/// Whose tokens are, so that a report costs no question to the database. What ends, or belongs to an account that has changed, is forgotten on every node with its next look at
/// <c>access.ended_token</c>; a node that cannot look goes by memory no longer.
/// </summary>
internal sealed class RememberedTokens(NpgsqlDataSource database, TimeProvider time, ILogger<RememberedTokens> logger) : BackgroundService
{
    // About 80 MB; the tokens of more servers than that are looked up each time.
    private const int Most = 250_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // How long a token that has ended may still work on a node that cannot look.
    private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan NotesKept = TimeSpan.FromDays(1);
    private readonly ConcurrentDictionary<Key, Remembered> known = new();
    private readonly Lock gate = new();
    private volatile Look? last;
    private DateTimeOffset cleanedAt;

    public Account? Find(byte[] hash)
    {
        var now = time.GetUtcNow();
        return last is { } look && now - look.At < Trusted && known.TryGetValue(Key.Of(hash), out var token) && !(token.ExpiresAt <= now) ? token.Account : null;
    }

    /// <summary>To be taken before a token is looked up, and given to <see cref="Remember"/>: one that ends in between must not stay.</summary>
    public object? Moment => last;

    public void Remember(byte[] hash, Account account, DateTimeOffset? expiresAt, object? moment)
    {
        lock (gate)
        {
            if (moment is not null && ReferenceEquals(moment, last) && known.Count < Most)
            {
                known[Key.Of(hash)] = new Remembered(account, expiresAt);
            }
        }
    }

    public void Forget(byte[] hash)
    {
        lock (gate)
        {
            // What is just being looked up is not remembered either.
            last = last is { } look ? look with { } : null;
            known.TryRemove(Key.Of(hash), out _);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                try
                {
                    await Refresh(stoppingToken);
                }
                catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
                {
                    logger.LogWarning("Which tokens have ended could not be read; they are looked up one by one until it can: {Reason}", exception.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task Refresh(CancellationToken cancellationToken)
    {
        // Before the look: what ends after it is seen by the next one.
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        // Every transaction that this look cannot see has a number from upto on.
        var (upto, ended) = await connection.QuerySingleAsync<(string, byte[][])>(new CommandDefinition("""
            select pg_snapshot_xmin(pg_current_snapshot())::text, array(select hash from access.ended_token where transaction >= @since::text::xid8)
            """, new { since = last?.Upto ?? "0" }, cancellationToken: cancellationToken));
        lock (gate)
        {
            if (last is { } look && now - look.At > NotesKept / 2)
            {
                known.Clear();
            }

            last = new Look(now, upto);
            foreach (var hash in ended)
            {
                known.TryRemove(Key.Of(hash), out _);
            }
        }

        if (now - cleanedAt > NotesKept)
        {
            await connection.ExecuteAsync(new CommandDefinition("delete from access.ended_token where at < now() - @NotesKept", new { NotesKept }, cancellationToken: cancellationToken));
            cleanedAt = now;
        }
    }

    private sealed record Look(DateTimeOffset At, string Upto);

    private sealed record Remembered(Account Account, DateTimeOffset? ExpiresAt);

    /// <summary>A SHA-256.</summary>
    private readonly record struct Key(long A, long B, long C, long D)
    {
        public static Key Of(byte[] hash) => MemoryMarshal.Read<Key>(hash);
    }
}
