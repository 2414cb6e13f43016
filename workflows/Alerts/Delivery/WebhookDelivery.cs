using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ManagedServers.Engine;

namespace ManagedServers.Workflows.Alerts;

/// <summary>
/// A POST of JSON. With a secret it is signed: <c>Managed-Servers-Signature: sha256=HEX</c> is the HMAC-SHA256 of the time in <c>Managed-Servers-Timestamp</c>, a dot and the body.
/// No redirect is followed, and nothing of the answer but its status is read or shown.
/// </summary>
internal sealed class WebhookDelivery(TimeProvider time)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <exception cref="DeliveryException">It was not taken.</exception>
    public async Task Send(AlertChannel channel, NotificationContent content, CancellationToken cancellationToken)
    {
        var origin = channel.Settings.Origin;
        string? certificate = null;
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectTimeout = ConnectLimit, ConnectCallback = (context, ct) => WebhookTarget.Connect(context.DnsEndPoint, ct),
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, presented, _, problems) => (certificate = OwnAuthority.Wrong(presented, problems, channel.Settings.Authority)) is null },
        };
        using var client = new HttpClient(handler) { Timeout = Limit };
        try
        {
            using var request = Request(channel.Secrets, content);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            Check(origin!, answer.StatusCode);
        }
        catch (HttpRequestException problem) when (problem.InnerException is DeliveryException refused)
        {
            throw refused;
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException || (problem is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var why = certificate is not null ? $"TLS was refused: {certificate}"
                : problem is OperationCanceledException ? $"no answer within {Limit.TotalSeconds:0} s. See whether it is a web server that listens there, and whether a firewall is in the way"
                : problem.InnerException is SocketException or AuthenticationException ? problem.InnerException.Message : problem.Message;
            throw new DeliveryException($"POST to {origin}: {why}.", inner: problem);
        }
    }

    private HttpRequestMessage Request(ChannelSecrets secrets, NotificationContent content)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(content, EngineJson.Options);
        var request = new HttpRequestMessage(HttpMethod.Post, secrets.Url) { Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") } } };
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.UserAgent.ParseAdd("managed-servers");
        request.Headers.Add("Idempotency-Key", content.Id.ToString());
        request.Headers.Add("Managed-Servers-Timestamp", timestamp);
        if (secrets.Key is { } key)
        {
            request.Headers.Add("Managed-Servers-Signature", $"sha256={Sign(key, timestamp, body)}");
        }

        return request;
    }

    internal static string Sign(string key, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(key));
        hash.AppendData(Encoding.UTF8.GetBytes($"{timestamp}."));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Check(string origin, HttpStatusCode status)
    {
        var code = (int)status;
        if (code is >= 200 and < 300)
        {
            return;
        }

        // What an endpoint refuses now it refuses in a minute too, but where it says that it is the time.
        var isFinal = code is < 500 and not (408 or 425 or 429);
        throw new DeliveryException(string.Create(CultureInfo.InvariantCulture, $"POST to {origin}: it answered {code} ({status}).{(code is >= 300 and < 400 ? " Redirects are not followed: give the address to which it leads." : isFinal ? " See the receiver's log, correct the channel, and retry the run." : "")}"), isFinal);
    }
}
