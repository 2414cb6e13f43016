using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Cli.Tests.StandIn;

/// <summary>A request as the stand-in got it.</summary>
public sealed record Received(string Method, string Path, string Query, string Authorization, string? IdempotencyKey, string? LastEventId, string Body);

/// <summary>
/// Not the product: an HTTPS server that speaks its contract, for what the real product cannot be made to do at will (cut a
/// connection in the middle of a line, answer nonsense, hold a run in a chosen state).
/// </summary>
public sealed class Product : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Func<HttpContext, string, Task>> answers = new();
    private readonly ConcurrentDictionary<string, CancellationTokenSource> streams = new();
    private readonly WebApplication app;

    private Product(WebApplication app, Certificates certificates) => (this.app, Certificates) = (app, certificates);

    public Certificates Certificates { get; }

    public ConcurrentQueue<Received> Requests { get; } = new();

    public ConcurrentDictionary<Guid, ScriptedRun> Runs { get; } = new();

    public Uri Address { get; private set; } = null!;

    /// <summary>Requests to open a stream are cut while this is set.</summary>
    public bool Away { get; set; }

    public int OpenStreams => streams.Count;

    public static async Task<Product> Start(Certificates? certificates = null, string dnsName = "managed-servers", IPAddress? address = null, int port = 0)
    {
        certificates ??= new Certificates();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.Zero);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, port, l =>
        {
            l.Protocols = HttpProtocols.Http1;
            l.UseHttps(certificates.For(dnsName, address));
        }));
        var product = new Product(builder.Build(), certificates);
        product.app.Run(product.Answer);
        await product.app.StartAsync();
        product.Address = new Uri(product.app.Urls.First());
        return product;
    }

    /// <summary>Answers one method and path with a status and JSON.</summary>
    public Product On(string method, string path, string json, int status = 200) => On(method, path, (_, _) => (status, json));

    public Product On(string method, string path, Func<HttpContext, string, (int Status, string Json)> answer)
    {
        answers[$"{method} {path}"] = async (context, body) =>
        {
            var (status, json) = answer(context, body);
            context.Response.StatusCode = status;
            context.Response.ContentType = status >= 400 ? "application/problem+json" : "application/json";
            await context.Response.WriteAsync(json);
        };
        return this;
    }

    public Product OnRaw(string method, string path, Func<HttpContext, Task> answer)
    {
        answers[$"{method} {path}"] = (context, _) => answer(context);
        return this;
    }

    public ScriptedRun Run(ScriptedRun run) => Runs[run.Id] = run;

    /// <summary>What a kill -9 looks like from outside.</summary>
    public void CutStreams()
    {
        foreach (var stream in streams.Values)
        {
            stream.Cancel();
        }
    }

    public async ValueTask DisposeAsync()
    {
        CutStreams();
        await app.DisposeAsync();
    }

    private async Task Answer(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var (method, path) = (context.Request.Method, context.Request.Path.Value!);
        Requests.Enqueue(new Received(
            method, path, context.Request.QueryString.Value ?? "", context.Request.Headers.Authorization.ToString(),
            context.Request.Headers["Idempotency-Key"].FirstOrDefault(), context.Request.Headers["Last-Event-ID"].FirstOrDefault(), body));
        if (answers.TryGetValue($"{method} {path}", out var answer))
        {
            await answer(context, body);
        }
        else if (path == "/ca.pem")
        {
            await context.Response.WriteAsync(Certificates.Pem);
        }
        else if (path.Split('/') is ["", "api", "v2", "runs", var id, .. var rest] && Guid.TryParse(id, out var guid) && Runs.TryGetValue(guid, out var run))
        {
            await OfRun(context, run, rest.FirstOrDefault());
        }
        else
        {
            context.Response.StatusCode = 404;
            context.Response.ContentType = "application/problem+json";
            await context.Response.WriteAsync("""{"type":"not-found","title":"Not found","status":404,"detail":"There is no such thing."}""");
        }
    }

    private async Task OfRun(HttpContext context, ScriptedRun run, string? what)
    {
        switch (what)
        {
            case "events":
                await Stream(context, run);
                break;
            case "log":
                var after = long.Parse(context.Request.Query["after"].FirstOrDefault() ?? "0", null);
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync($$"""{"items":[{{string.Join(',', run.LogAfter(after).Select(l => l.Json))}}],"next":null}""");
                break;
            default:
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(run.Json);
                break;
        }
    }

    private async Task Stream(HttpContext context, ScriptedRun run)
    {
        if (Away)
        {
            context.Abort();
            return;
        }

        using var cut = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        streams[context.TraceIdentifier] = cut;
        context.Response.ContentType = "text/event-stream";
        var seen = long.Parse(context.Request.Headers["Last-Event-ID"].FirstOrDefault() ?? "0", null);
        try
        {
            while (true)
            {
                var changed = run.Changed;
                var ended = run.Ended;
                foreach (var (seq, json) in run.LogAfter(seen))
                {
                    await context.Response.WriteAsync($"event: log\nid: {seq}\ndata: {json}\n\n", cut.Token);
                    seen = seq;
                }

                await context.Response.WriteAsync($"event: {(ended ? "end" : "run")}\ndata: {run.Json}\n\n", cut.Token);
                await context.Response.Body.FlushAsync(cut.Token);
                if (ended)
                {
                    return;
                }

                await changed.WaitAsync(cut.Token);
            }
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
        finally
        {
            streams.TryRemove(context.TraceIdentifier, out _);
        }
    }
}
