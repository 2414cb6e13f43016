using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ManagedServers.Cli.Client;

/// <summary>Sends requests to one product: trust, credentials, time-outs, retries and errors in one place.</summary>
public sealed class ProductHttp : IDisposable
{
    // A product that restarts refuses connections for a second or two; a wrong address should be told soon.
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(900)];
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(30);
    private readonly HttpClient http;
    private readonly TimeProvider time;

    /// <summary>A client of the product at an address.</summary>
    /// <param name="address">Its root, https.</param>
    /// <param name="authority">Whom to trust; null trusts nobody but still lets <see cref="FetchAuthority"/> be used.</param>
    /// <param name="authorization">Sent with every request; null to send none.</param>
    /// <param name="time">Clock for the pauses between tries.</param>
    public ProductHttp(Uri address, PinnedAuthority authority, AuthenticationHeaderValue? authorization, TimeProvider time)
    {
        Address = address;
        this.time = time;
        http = new HttpClient(Trusting(address, authority)) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = authorization;
        http.DefaultRequestHeaders.UserAgent.ParseAdd($"msctl/{typeof(ProductHttp).Assembly.GetName().Version!.ToString(3)}");
    }

    /// <summary>The product's root.</summary>
    public Uri Address { get; }

    /// <summary>
    /// Reads the product's authority without trusting anybody, which is why it must be shown to the operator before it is used.
    /// Nothing secret is sent.
    /// </summary>
    /// <exception cref="ProductException">No answer, or none with a certificate in it.</exception>
    public static async Task<PinnedAuthority> FetchAuthority(Uri address, CancellationToken cancellationToken = default)
    {
        using var handler = Handler();
        // The whole purpose is to ask somebody who is not known yet; the answer is trusted only after its fingerprint was accepted.
#pragma warning disable CA5359
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = new HttpClient(handler) { BaseAddress = address, Timeout = Usual };
        var tried = $"GET {new Uri(address, "/ca.pem")}";
        try
        {
            return PinnedAuthority.Parse(await http.GetStringAsync("/ca.pem", cancellationToken));
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw new MalformedAnswerException("the answer is not a certificate", tried, e);
        }
        catch (HttpRequestException e) when (e.StatusCode is { } status)
        {
            throw new MalformedAnswerException($"it answered {(int)status}: it may not be the product", tried, e);
        }
        catch (Exception e) when (Failures.IsTransport(e, cancellationToken))
        {
            throw Failures.Unreachable(e, tried);
        }
    }

    /// <summary>Reads something; tried again a little while when no answer comes.</summary>
    /// <param name="path">Its address, with the query.</param>
    /// <param name="type">How to understand it; null to take it as the text that it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Answer<T>> Get<T>(string path, JsonTypeInfo<T>? type, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await Once(HttpMethod.Get, path, null, type, null, Usual, cancellationToken);
            }
            catch (ProductException e) when (attempt < Pauses.Length && MayPass(e))
            {
                await Task.Delay(Pauses[attempt], time, cancellationToken);
            }
        }
    }

    /// <summary>Changes something; sent once, unless a key makes a second sending harmless.</summary>
    /// <param name="method">POST or DELETE.</param>
    /// <param name="path">Below the root.</param>
    /// <param name="body">JSON, or null for none.</param>
    /// <param name="type">Type of the answer; null when none is expected.</param>
    /// <param name="idempotencyKey">With it a lost answer is asked for again.</param>
    /// <param name="limit">How long the product may take; 30 s when null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Answer<T>> Send<T>(
        HttpMethod method, string path, string? body, JsonTypeInfo<T>? type, string? idempotencyKey = null, TimeSpan? limit = null, CancellationToken cancellationToken = default)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await Once(method, path, body, type, idempotencyKey, limit ?? Usual, cancellationToken);
            }
            catch (ProductException e) when (idempotencyKey is not null && attempt < Pauses.Length && MayPass(e))
            {
                await Task.Delay(Pauses[attempt], time, cancellationToken);
            }
        }
    }

    /// <summary>Opens a stream of server-sent events. The caller disposes the answer.</summary>
    public async Task<HttpResponseMessage> Open(string path, string? lastEventId, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        return await Exchange(request, HttpCompletionOption.ResponseHeadersRead, Usual, cancellationToken);
    }

    /// <inheritdoc />
    public void Dispose() => http.Dispose();

    private static bool MayPass(ProductException e) => e is UnreachableException { Untrusted: false } or RefusedException { Passing: true };

    private async Task<Answer<T>> Once<T>(
        HttpMethod method, string path, string? body, JsonTypeInfo<T>? type, string? idempotencyKey, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Accept.ParseAdd("application/json");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        using var response = await Exchange(request, HttpCompletionOption.ResponseContentRead, limit, cancellationToken);
        var json = await response.Content.ReadAsStringAsync(cancellationToken);
        return type is null ? new Answer<T>(default!, json) : Understand(json, type, Failures.Tried(request, Address));
    }

    private async Task<HttpResponseMessage> Exchange(HttpRequestMessage request, HttpCompletionOption completion, TimeSpan limit, CancellationToken cancellationToken)
    {
        var tried = Failures.Tried(request, Address);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limit);
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, completion, patience.Token);
        }
        catch (Exception e) when (Failures.IsTransport(e, cancellationToken))
        {
            throw Failures.Unreachable(e, tried, limit);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await Failures.Refused(response, tried, cancellationToken);
        }
    }

    private static Answer<T> Understand<T>(string json, JsonTypeInfo<T> type, string tried)
    {
        try
        {
            var value = JsonSerializer.Deserialize(json, type);
            return value is null ? throw new JsonException("It is null.") : new Answer<T>(value, json);
        }
        catch (JsonException e)
        {
            throw new MalformedAnswerException($"the answer is not what the product sends: {e.Message}", tried, e);
        }
    }

    private static SocketsHttpHandler Trusting(Uri address, PinnedAuthority authority)
    {
        var handler = Handler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            authority.Validate(certificate, chain, address.IdnHost, out var refusal)
                ? true
                : throw new System.Security.Authentication.AuthenticationException(refusal);
        return handler;
    }

    private static SocketsHttpHandler Handler() => new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(10),
        AllowAutoRedirect = false,   // credentials go to the address that was given, nowhere else
        UseCookies = false,
        UseProxy = false,            // the authority is pinned; a proxy that opens TLS could only fail
        AutomaticDecompression = DecompressionMethods.All,
    };
}
