namespace ManagedServers.Engine.Tests;

/// <summary>
/// Tests of this category keep a short form in the default suite; <c>./run test chaos</c> runs the full ones, alone.
/// </summary>
internal static class Chaos
{
    public const string Category = nameof(Chaos);

    public static bool Full { get; } = Environment.GetEnvironmentVariable("MANAGED_SERVERS_CHAOS") == "full";

    /// <summary>Lease, renewal and self-fencing in milliseconds of a node to be lost: the real ones in the full form.</summary>
    public static int[] Lease { get; } = Full ? [] : [4000, 500, 3000];

    public static int Of(int little, int full) => Full ? full : little;
}
