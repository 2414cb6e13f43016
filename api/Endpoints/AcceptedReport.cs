using System.Text.Json;
using System.Text.Json.Serialization;
using ManagedServers.Workflows.Monitoring;

namespace ManagedServers.Api.Endpoints;

/// <summary>202 and what was accepted: in one piece, because thousands of hosts hear it each second.</summary>
internal sealed class AcceptedReport(Accepted accepted) : IResult
{
    public async Task ExecuteAsync(HttpContext context)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(accepted, AcceptedJson.Default.Accepted);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Accepted))]
internal sealed partial class AcceptedJson : JsonSerializerContext;
