using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;
using Microsoft.Extensions.Caching.Memory;
using RabbitMQ.Client;

namespace ManagedServers.Workflows.RabbitMq;

/// <summary>A message that never will be accepted.</summary>
internal sealed class RefusedMessageException(string reason) : Exception(reason);

/// <summary>
/// What a monitor sends over RabbitMQ: the body that it would send over HTTPS, and in the headers for which server it speaks, when it was sent, and a signature that
/// only this server's token can make. Who may sign in on the broker could otherwise speak for any host.
/// </summary>
internal sealed class StatisticsMessages(Servers.Servers servers, Ingestion ingestion, IMemoryCache cache)
{
    /// <summary>The type of a message that a test has sent: nobody waits for it.</summary>
    public const string Probe = "probe";

    /// <summary>As over HTTPS.</summary>
    public const int LargestBody = 1024 * 1024;

    private const string Dns = "dns";

    /// <summary>For which server it speaks, when it was sent in our clock, and the proof of both and of the body.</summary>
    public static readonly IReadOnlyList<string> Headers = ["server", "sent", "signature"];

    // How long a token that was renewed may still be used.
    private static readonly TimeSpan TokenKnown = TimeSpan.FromSeconds(10);

    private static readonly JsonSerializerOptions Json = new(EngineJson.Options) { MaxDepth = 32, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <summary>Returns after the commit.</summary>
    /// <exception cref="RefusedMessageException">It is malformed, or nobody whom we know has signed it.</exception>
    /// <exception cref="InvalidInputException">A field breaks its rule.</exception>
    /// <exception cref="IngestionBusyException">Nothing was stored; try again later.</exception>
    public async Task Accept(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (body.Length > LargestBody)
        {
            throw new RefusedMessageException($"The body has {body.Length} bytes; at most {LargestBody} are taken.");
        }

        if (properties.Type != Dns)
        {
            throw new RefusedMessageException($"The type must be '{Dns}'.");
        }

        var (server, sent, signature) = (Header(properties, Headers[0]), Header(properties, Headers[1]), Header(properties, Headers[2]));
        if (!Guid.TryParseExact(server, "D", out var serverId) || !DateTimeOffset.TryParse(sent, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var sentAt) || signature is null)
        {
            throw new RefusedMessageException("The headers server (an id), sent (a time) and signature are needed.");
        }

        var token = await Token(serverId, cancellationToken) ?? throw new RefusedMessageException($"There is no server {serverId}.");
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature), Encoding.ASCII.GetBytes(Sign(token, Dns, server, sent!, body.Span))))
        {
            throw new RefusedMessageException($"The signature is not that of server {serverId}: another one has sent it, or its token was renewed since.");
        }

        await ingestion.Accept(serverId, Parse(body), sentAt, cancellationToken);
    }

    /// <summary>In lower case hexadecimal. The monitor does the same.</summary>
    internal static string Sign(string token, string type, string server, string sent, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(token));
        hash.AppendData(Encoding.UTF8.GetBytes($"{type}\n{server}\n{sent}\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static DnsReport Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize<DnsReport>(body.Span, Json) ?? throw new RefusedMessageException("The body is null.");
        }
        catch (JsonException problem)
        {
            throw new RefusedMessageException($"The body is not a report: {problem.Message}");
        }
    }

    private async Task<string?> Token(Guid server, CancellationToken cancellationToken)
    {
        var key = ("report-token", server);
        // Unknown servers are not remembered: a flood of them must not fill the memory.
        return cache.TryGetValue(key, out string? known) ? known
            : await servers.FindReportToken(server, cancellationToken) is { } token ? cache.Set(key, token, TokenKnown) : null;
    }

    internal static string? Header(IReadOnlyBasicProperties properties, string name) =>
        properties.Headers?.TryGetValue(name, out var value) == true && value is byte[] { Length: <= 128 } bytes ? Encoding.UTF8.GetString(bytes) : null;
}
