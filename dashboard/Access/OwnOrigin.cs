using Microsoft.AspNetCore.Http;

namespace ManagedServers.Dashboard.Access;

/// <summary>
/// Circuits for the product's own pages alone. Browsers let any page open a WebSocket anywhere, and the cookie's SameSite does not help against
/// another port of this host, nor against a neighbour in this domain: both are the same site.
/// </summary>
internal sealed class OwnOrigin(RequestDelegate next)
{
    public Task Invoke(HttpContext context)
    {
        var request = context.Request;
        if (request.Path.StartsWithSegments("/_blazor") && request.Headers.Origin is { Count: > 0 } origin
            && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return context.Response.WriteAsync($"A page of {origin} cannot use the dashboard at {request.Scheme}://{request.Host}. Behind a proxy: let it pass the Host header on.\n");
        }

        return next(context);
    }
}
