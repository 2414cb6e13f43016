using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ManagedServers.Workflows.Monitoring;
using Microsoft.AspNetCore.Http.Metadata;

namespace ManagedServers.Api.Hosting;

/// <summary>What the bodies of requests may be: how large, and with which members.</summary>
internal static class Requests
{
    // Zones come in requests; the largest install asked for in one piece.
    public const long LargestInstall = 64L * 1024 * 1024;

    public const long LargestBody = 1024 * 1024;

    /// <summary>
    /// A member that nobody knows is a misspelt wish of an operator's, and refused. What hosts report may have more than this product knows: an agent may be newer.
    /// </summary>
    public static void RefuseUnknownMembers(JsonTypeInfo type)
    {
        // The framework reads its own things with these options too.
        var ours = type.Type.Namespace?.StartsWith("ManagedServers.", StringComparison.Ordinal) == true;
        if (ours && type.Kind == JsonTypeInfoKind.Object && type.Type.Namespace != typeof(HeartbeatReport).Namespace)
        {
            type.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        }
    }

    /// <summary>The framework answers a body over the limit with a number alone.</summary>
    public static async Task SayWhatIsTooLarge(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (context.Response is { StatusCode: StatusCodes.Status413PayloadTooLarge, HasStarted: false, ContentType: null })
        {
            var most = context.GetEndpoint()?.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize ?? LargestInstall;
            await Problems.Write(context, StatusCodes.Status413PayloadTooLarge, "too-large", "The request is too large", $"Nothing was changed. The body may have at most {most / 1024 / 1024} MiB here.");
        }
    }
}
