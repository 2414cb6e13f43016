namespace ManagedServers.Api.Hosting;

/// <summary>What every answer tells a browser: load nothing from elsewhere, be framed by nobody, keep no copy of what the API says.</summary>
internal sealed class ResponseHeaders(RequestDelegate next)
{
    // 'unsafe-inline' for style attributes alone: MudBlazor positions its popovers with them.
    private const string ContentSecurityPolicy =
        "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'";

    public Task Invoke(HttpContext context)
    {
        // At the last moment: an exception on the way clears what was set before.
        context.Response.OnStarting(() =>
        {
            Set(context.Response.Headers, context.Request.Path);
            return Task.CompletedTask;
        });
        return next(context);
    }

    private static void Set(IHeaderDictionary headers, PathString path)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.StrictTransportSecurity = "max-age=31536000";
        headers["Referrer-Policy"] = "no-referrer";
        if (path.StartsWithSegments("/api"))
        {
            headers.CacheControl = "no-store";
        }
    }
}
