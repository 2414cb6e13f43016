using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace ManagedServers.Bench.Ingest;

/// <summary>
/// Servers that exist in the database alone, the same ones every time: each with a token, a spool's epoch and numbers of its own. What they send is what the agent does (agent.py,
/// delivery.py), member for member.
/// </summary>
internal sealed class SimulatedFleet
{
    public const int LargestRequest = 4096;
    private const int LargestHead = 512;

    // As the database makes them: see IngestProduct.Register.
    private const string TokenSeed = "token of simulated server ";
    private readonly byte[][] tokens;
    private readonly string[] epochs;
    private readonly long[] numbers;
    private long beats;
    private long processes;
    private long memory;

    public SimulatedFleet(int servers)
    {
        tokens = new byte[servers][];
        epochs = new string[servers];
        numbers = new long[servers];
        Parallel.For(0, servers, server =>
        {
            var secret = Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(Invariant($"{TokenSeed}{server}"))));
            tokens[server] = Encoding.ASCII.GetBytes("ms_" + secret.TrimEnd('=').Replace('+', '-').Replace('/', '_'));
            epochs[server] = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Invariant($"epoch {server}")))[..16]);
        });
    }

    public int Servers => tokens.Length;

    /// <summary>Of all that was accepted, once each.</summary>
    public Sums Accepted => new(beats, processes, memory);

    public static string RegisterTokens => TokenSeed;

    public static Guid Id(int server) => Guid.Parse(Invariant($"01900000-0000-7000-8000-{server:x12}"));

    /// <summary>The next number of a server's spool. It is of one beat for ever, however often that is sent.</summary>
    public long Next(int server) => Interlocked.Increment(ref numbers[server]);

    /// <summary>A whole request with one beat.</summary>
    public ReadOnlyMemory<byte> Request(Memory<byte> buffer, int server, long number, DateTimeOffset now)
    {
        var body = buffer[LargestHead..].Span;
        var at = now.UtcDateTime;
        long received = number * 900_000 + server, free = 500_000L * 4096 + server;
        _ = Utf8.TryWrite(body, CultureInfo.InvariantCulture,
            $$$"""{"epoch":"{{{epochs[server]}}}","now":"{{{at:yyyy-MM-ddTHH:mm:ss.fff}}}Z","beats":[{"sentAt":"{{{at:yyyy-MM-ddTHH:mm:ss.fff}}}Z","agentVersion":"2","uptimeSeconds":{{{number * 30}}}.25,"""
            + $$$""" "load":[0.{{{number % 90 + 10}}},0.42,0.37],"cpu":{"user":0.0{{{server % 900 + 100}}},"nice":0.0,"system":0.0213,"idle":0.9021,"iowait":0.0012,"irq":0.0,"softirq":0.0007,"steal":0.0},"""
            + $$$""" "memory":{"totalBytes":8323739648,"availableBytes":{{{Memory(server, number)}}},"freeBytes":{{{free}}},"buffersBytes":181272576,"cachedBytes":2048{{{server % 900 + 100}}},"committedBytes":3221225472},"""
            + $$$""" "swap":{"totalBytes":2147479552,"usedBytes":0},"disks":[{"mount":"/","totalBytes":42140479488,"usedBytes":1289{{{number % 900 + 100}}}488,"inodesTotal":2621440,"inodesUsed":142{{{number % 900 + 100}}}},"""
            + $$$""" {"mount":"/var/lib/docker","totalBytes":21003583488,"usedBytes":3012984832,"inodesTotal":1310720,"inodesUsed":53012}],"connections":{"tcpEstablished":12,"udp":6,"tcp":{"established":12,"synSent":0,"""
            + $$$""" "synReceived":0,"finWait1":0,"finWait2":0,"timeWait":{{{number % 50}}},"close":0,"closeWait":0,"lastAck":0,"listen":9,"closing":0}},"processes":{{{Processes(server, number)}}},"""
            + $$$""" "network":[{"interface":"eth0","receivedBytes":{{{received}}},"sentBytes":{{{received / 3}}}}],"docker":{"state":"running","version":"20.10.24"},"components":[{"name":"dns","version":"3.2.6","state":"running","""
            + $$$""" "image":"managed-servers/knot:3.2.6-4a40259ca695"},{"name":"monitor","version":"1","state":"running","image":"managed-servers/monitor:1-0c9b3a7712f4"}],"""
            + $$$""" "seq":{{{number}}}}]}""", out var length);
        Span<byte> head = stackalloc byte[LargestHead];
        _ = Utf8.TryWrite(head, CultureInfo.InvariantCulture,
            $"POST /api/v2/monitoring/heartbeats HTTP/1.1\r\nHost: managed-servers\r\nAccept-Encoding: identity\r\nContent-Length: {length}\r\nContent-Type: application/json\r\nAuthorization: Bearer ", out var start);
        tokens[server].CopyTo(head[start..]);
        start += tokens[server].Length;
        "\r\nUser-Agent: managed-servers\r\n\r\n"u8.CopyTo(head[start..]);
        start += "\r\nUser-Agent: managed-servers\r\n\r\n"u8.Length;
        head[..start].CopyTo(buffer.Span[(LargestHead - start)..]);
        return buffer.Slice(LargestHead - start, start + length);
    }

    /// <summary>The product has said that it keeps it.</summary>
    public void Kept(int server, long number)
    {
        Interlocked.Increment(ref beats);
        Interlocked.Add(ref processes, Processes(server, number));
        Interlocked.Add(ref memory, Memory(server, number));
    }

    private static int Processes(int server, long number) => 100 + (int)((server * 31 + number * 17) % 1000);

    private static long Memory(int server, long number) => 4_000_000_000 + server * 4096L + number * 977;

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>Of heartbeats: how many, and of two of the values in them.</summary>
internal sealed record Sums(long Beats, long Processes, long Memory);
