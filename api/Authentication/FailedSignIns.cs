using System.Net;
using Microsoft.Extensions.Caching.Memory;

namespace ManagedServers.Api.Authentication;

/// <summary>Slows down guessing: after ten wrong passwords for one name from one address, the rest of the minute is refused unread.</summary>
internal sealed class FailedSignIns(IMemoryCache cache, TimeProvider time)
{
    private const int Allowed = 10;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Lock gate = new();

    /// <summary>Looks at a password, one at a time for a name and an address: many at once are no more than ten. Null, or until when none is looked at.</summary>
    public async Task<DateTimeOffset?> Try(IPAddress? from, string name, Func<Task<bool>> right, CancellationToken cancellationToken)
    {
        var tries = Of(Key(from, name));
        if (tries.Wrong >= Allowed)
        {
            return tries.Until;
        }

        await tries.OneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (tries.Wrong >= Allowed)
            {
                return tries.Until;
            }

            tries.Wrong = await right() ? 0 : tries.Wrong + 1;
            return null;
        }
        finally
        {
            tries.OneAtATime.Release();
        }
    }

    private Tries Of(string key)
    {
        lock (gate)
        {
            return cache.GetOrCreate(key, entry =>
            {
                entry.AbsoluteExpirationRelativeToNow = Window;
                return new Tries { Until = time.GetUtcNow() + Window };
            })!;
        }
    }

    private static string Key(IPAddress? from, string name) => $"failed-sign-in:{from}:{name.ToLowerInvariant()}";

    private sealed class Tries
    {
        public required DateTimeOffset Until { get; init; }

        public SemaphoreSlim OneAtATime { get; } = new(1);

        public int Wrong { get; set; }
    }
}
