using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ManagedServers.Engine;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Monitoring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>What an agent or a monitor talks to: HTTPS by an authority of its own, a token, and the two addresses of the contract.</summary>
internal sealed class TestProduct : IAsyncDisposable
{
    public const string Token = "token-of-this-server-alone";
    private readonly X509Certificate2 authority = Authority();
    private readonly X509Certificate2 certificate;
    private readonly IPAddress address;
    private WebApplication? app;

    public TestProduct(IPAddress? address = null, string serverName = "managed-servers")
    {
        this.address = address ?? IPAddress.Loopback;
        certificate = Certificate(authority, serverName);
    }

    public int Port { get; private set; }

    public Uri Address => new($"https://{address}:{Port}");

    public string AuthorityPem => authority.ExportCertificatePem();

    /// <summary>By number; a second one of a number is a duplicate.</summary>
    public ConcurrentDictionary<(string Epoch, long Seq), Heartbeat> Beats { get; } = new();

    /// <summary>Beats under a number that another beat had: lost in the real product.</summary>
    public ConcurrentQueue<Heartbeat> Reused { get; } = new();

    public ConcurrentQueue<HeartbeatReport> HeartbeatReports { get; } = new();

    public ConcurrentQueue<DnsReport> DnsReports { get; } = new();

    public ConcurrentQueue<HostStateReport> States { get; } = new();

    /// <summary>What the next of them is to say; null where none is wanted.</summary>
    public string? AsOf { get; set; }

    /// <summary>Answers before anything is taken; null to take it.</summary>
    public Func<HeartbeatReport, IResult?> Refuse { get; set; } = _ => null;

    /// <summary>What an agent is told with every answer.</summary>
    public SenderSettings? Settings { get; set; }

    /// <summary>The agent that is handed out, and the digest that is named for it where it is another.</summary>
    public (byte[] Script, string? Named)? Agent { get; set; }

    /// <summary>How far its clock is ahead of the host's, as its answers say.</summary>
    public TimeSpan Ahead { get; init; }

    public Func<DnsReport, Task> TakeDns { get; set; } = _ => Task.CompletedTask;

    public async Task Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.Converters.Add(EngineJson.Options.Converters[0]));
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(k => k.Listen(address, Port, l => l.UseHttps(certificate)));
        app = builder.Build();
        app.Use((context, next) =>
        {
            context.Response.Headers.Date = (TimeProvider.System.GetUtcNow() + Ahead).ToString("r");
            return next(context);
        });
        app.MapPost("/api/v2/monitoring/heartbeats", (HeartbeatReport report, HttpRequest request) => Authorised(request, () => Task.FromResult(Take(report))));
        app.MapGet("/api/v2/monitoring/agent", (HttpRequest request) => Authorised(request, () => Task.FromResult(Results.Bytes(Agent!.Value.Script, "text/x-python"))));
        app.MapGet("/api/v2/monitoring/settings", (HttpRequest request) => Authorised(request, () => Task.FromResult(Results.Json(new Greeting(TimeProvider.System.GetUtcNow() + Ahead, Settings), EngineJson.Options))));
        app.MapPost("/api/v2/monitoring/dns", (DnsReport report, HttpRequest request) => Authorised(request, () => Take(report)));
        app.MapPost("/api/v2/monitoring/host-state", (HostStateReport report, HttpRequest request) => Authorised(request, () =>
        {
            States.Enqueue(report);
            return Task.FromResult(Results.Json(new HostStateAnswer(AsOf), EngineJson.Options));
        }));
        await app.StartAsync();
        Port = new Uri(app.Urls.Single()).Port;
    }

    /// <summary>Gone, as after a crash; <see cref="Start"/> brings it back at the same port.</summary>
    public async Task Stop()
    {
        if (app is not null)
        {
            await app.DisposeAsync();
            app = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        certificate.Dispose();
        authority.Dispose();
    }

    private static async Task<IResult> Authorised(HttpRequest request, Func<Task<IResult>> action) =>
        request.Headers.Authorization == $"Bearer {Token}" ? await action() : Results.StatusCode(401);

    private IResult Take(HeartbeatReport report)
    {
        if (Refuse(report) is { } refusal)
        {
            return refusal;
        }

        HeartbeatReports.Enqueue(report);
        var fresh = report.Beats!.Count(b => Beats.TryAdd((report.Epoch!, b!.Seq!.Value), b));
        foreach (var beat in report.Beats!.Where(b => Beats[(report.Epoch!, b!.Seq!.Value)].SentAt != b.SentAt))
        {
            Reused.Enqueue(beat!);
        }

        var agent = Agent is { } offered ? offered.Named ?? Convert.ToHexStringLower(SHA256.HashData(offered.Script)) : null;
        return Results.Json(new Accepted(fresh, report.Beats!.Count - fresh, DateTimeOffset.UnixEpoch, Settings, agent), statusCode: 202);
    }

    private async Task<IResult> Take(DnsReport report)
    {
        await TakeDns(report);
        DnsReports.Enqueue(report);
        return Results.Json(new Accepted(report.Samples!.Count, 0, DateTimeOffset.UnixEpoch), statusCode: 202);
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(2));
    }

    private static X509Certificate2 Certificate(X509Certificate2 authority, string serverName)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=managed-servers", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(serverName);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(authority, TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1), RandomNumberGenerator.GetBytes(8));
        using var whole = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pfx), null);
    }
}
