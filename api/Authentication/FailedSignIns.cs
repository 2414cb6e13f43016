using System.Net;
using Microsoft.Extensions.Caching.Memory;

namespace ManagedServers.Api.Authentication;

/// <summary>Slows down guessing: after ten wrong passwords for one name from one address, the rest of the minute is refused unread.</summary>
internal sealed class FailedSignIns(IMemoryCache cache, TimeProvider time)
{
    private const int Allowed = 10;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Until when nothing is read; null when a password may be tried.</summary>
    public DateTimeOffset? MustWaitUntil(IPAddress? from, string name) =>
        cache.TryGetValue(Key(from, name), out Count? count) && count!.Value >= Allowed ? count.Until : null;

    public void Note(IPAddress? from, string name, bool succeeded)
    {
        if (succeeded)
        {
            cache.Remove(Key(from, name));
            return;
        }

        var count = cache.GetOrCreate(Key(from, name), entry =>
        {
            entry.AbsoluteExpirationRelativeToNow = Window;
            return new Count { Until = time.GetUtcNow() + Window };
        })!;
        Interlocked.Increment(ref count.Value);
    }

    private static string Key(IPAddress? from, string name) => $"failed-sign-in:{from}:{name.ToLowerInvariant()}";

    private sealed class Count
    {
        public int Value;

        public required DateTimeOffset Until { get; init; }
    }
}
