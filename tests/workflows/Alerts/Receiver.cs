using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Tests.Alerts;

/// <summary>A web server that takes what webhooks send.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication server;
    private readonly ConcurrentQueue<Received> received = [];

    private Receiver(WebApplication server) => this.server = server;

    /// <summary>What it answers from now on, one after the other; then 204.</summary>
    public ConcurrentQueue<int> Answers { get; } = [];

    /// <summary>It answers 503 to everything.</summary>
    public bool Refusing { get; set; }

    /// <summary>How often it did.</summary>
    public int Refused { get; private set; }

    public IReadOnlyList<Received> All => [.. received];

    public string Url { get; private set; } = "";

    public static async Task<Receiver> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = builder.Build();
        var receiver = new Receiver(server);
        server.MapPost("/hook/{token}", receiver.Take);
        await server.StartAsync();
        receiver.Url = $"{server.Urls.Single()}/hook/word-in-the-address";
        return receiver;
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task<IResult> Take(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        if (Refusing)
        {
            Refused++;
            return Results.StatusCode(503);
        }

        var status = Answers.TryDequeue(out var answer) ? answer : 204;
        if (status == 302)
        {
            return Results.Redirect("/hook/elsewhere", preserveMethod: true);
        }

        if (status < 300)
        {
            received.Enqueue(new Received(request.Headers["Managed-Servers-Timestamp"].ToString(), request.Headers["Managed-Servers-Signature"].ToString(), request.Headers["Idempotency-Key"].ToString(), body.ToArray()));
        }

        return Results.StatusCode(status);
    }
}

internal sealed record Received(string Timestamp, string Signature, string Key, byte[] Body)
{
    public JsonElement Json { get; } = JsonDocument.Parse(Body).RootElement;

    /// <summary>For example <c>firing full ns1</c>.</summary>
    public IReadOnlyList<string> Alerts => [.. Json.GetProperty("alerts").EnumerateArray().Select(a => $"{a.GetProperty("state").GetString()} {a.GetProperty("rule").GetString()} {a.GetProperty("server").GetString()}")];
}
