using System.Text.Json;
using System.Text.Json.Serialization;
using ManagedServers.Engine;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Workflows.Pull;

/// <summary>A host answers otherwise than it should. Nothing of that answer was taken.</summary>
public sealed class PullRefusedException(string message) : Exception(message);

/// <summary>What an agent or a monitor is asked.</summary>
/// <param name="Acked">What is committed; it need not be kept any longer.</param>
/// <param name="Fresh">Count now, and answer then.</param>
internal sealed record SenderQuestion(Acknowledgement? Acked, SenderSettings Settings, bool Fresh);

/// <param name="Seq">The last one of a report, in its order.</param>
internal sealed record Acknowledgement(string Epoch, long Seq);

/// <summary>What an agent or a monitor answers; what could not be asked has a problem.</summary>
/// <param name="Server">For whom it reports.</param>
/// <param name="Report">As it would have been sent; null where there is nothing.</param>
/// <param name="More">Not all went into it.</param>
internal sealed record SenderAnswer<TReport>(string? Server, TReport? Report, bool More, string? Problem);

/// <summary>What a host answers: of whom it was asked about.</summary>
internal sealed record PullAnswer(SenderAnswer<HeartbeatReport>? Agent, SenderAnswer<DnsReport>? Monitor)
{
    /// <summary>Of a line: two reports of a mebibyte each, as large as one may be over HTTPS, and what is around them.</summary>
    public const int Longest = (2 << 20) + 4096;

    // As deep as over HTTPS, and two levels around it.
    private static readonly JsonSerializerOptions Json = new(EngineJson.Options) { MaxDepth = 34, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <exception cref="PullRefusedException">It is none.</exception>
    public static PullAnswer Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize<PullAnswer>(line, Json) ?? throw new PullRefusedException("The host answers with nothing. Nothing was taken.");
        }
        catch (JsonException problem)
        {
            throw new PullRefusedException($"What the host answers is no report: {problem.Message} Nothing of it was taken.");
        }
    }
}
