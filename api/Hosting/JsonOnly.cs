using Microsoft.Net.Http.Headers;

namespace ManagedServers.Api.Hosting;

/// <summary>The API is spoken to in JSON. A request that does not say what it sends is taken to send that; one that says otherwise is told so.</summary>
internal static class JsonOnly
{
    public static Task Invoke(HttpContext context, RequestDelegate next)
    {
        if (string.IsNullOrEmpty(context.Request.ContentType))
        {
            context.Request.ContentType = "application/json";
        }

        return MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) && (type.MediaType == "application/json" || type.Suffix == "json")
            ? next(context)
            : Problems.Write(context, StatusCodes.Status415UnsupportedMediaType, "bad-request", "The request cannot be read", "Send JSON, with the header Content-Type: application/json.");
    }
}
