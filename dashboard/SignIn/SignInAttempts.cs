using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;

namespace ManagedServers.Dashboard.SignIn;

/// <summary>How often one client address may try to sign in: twenty tries at once, then one every three seconds.</summary>
public sealed class SignInAttempts : IDisposable
{
    private const int AtOnce = 20;
    private static readonly TimeSpan Refill = TimeSpan.FromSeconds(3);

    private readonly PartitionedRateLimiter<IPAddress> limiter = PartitionedRateLimiter.Create<IPAddress, string>(address =>
        RateLimitPartition.GetTokenBucketLimiter(Network(address), _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = AtOnce, TokensPerPeriod = 1, ReplenishmentPeriod = Refill, QueueLimit = 0,
        }));

    public bool Allow(IPAddress? address)
    {
        using var lease = limiter.AttemptAcquire(address ?? IPAddress.None);
        return lease.IsAcquired;
    }

    public void Dispose() => limiter.Dispose();

    // One IPv6 customer has a whole /64.
    internal static string Network(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(plain.GetAddressBytes().AsSpan(0, 8)) : plain.ToString();
    }
}
