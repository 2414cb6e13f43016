using System.Security.Cryptography;
using ManagedServers.Api.Endpoints;
using ManagedServers.Workflows.Access;

namespace ManagedServers.Api.Hosting;

/// <summary>Refuses an idempotency key that comes with another request than before: the answer would be the first one's run, and nobody would do the second.</summary>
internal static class IdempotencyKeys
{
    private const int InMemory = 64 * 1024;

    public static async Task Invoke(HttpContext context, RequestDelegate next)
    {
        if (!HttpMethods.IsPost(context.Request.Method) || Changes.IdempotencyKey(context) is not { } key || context.User.Account() is not { } account)
        {
            await next(context);
            return;
        }

        var keys = context.RequestServices.GetRequiredService<RequestKeys>();
        var address = context.Request.Path.Value!;
        byte[] digest;
        try
        {
            digest = await Digest(context.Request, context.RequestAborted);
        }
        catch (BadHttpRequestException tooLarge) when (tooLarge.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            context.Response.StatusCode = tooLarge.StatusCode; // told by who knows the limit
            return;
        }

        if (await keys.IsOfAnother(account.Id, address, key, digest, context.RequestAborted))
        {
            await Problems.Write(context, StatusCodes.Status422UnprocessableEntity, "idempotency-key-used", "The Idempotency-Key was used",
                "Nothing was started. This key came with another request to the same address before: give each request a key of its own, and the same one only to the same request.");
            return;
        }

        await next(context);
        if (context.Response.StatusCode == StatusCodes.Status202Accepted)
        {
            // Whether or not the caller is still there: the run is.
            await keys.Keep(account.Id, address, key, digest, CancellationToken.None);
        }
    }

    private static async Task<byte[]> Digest(HttpRequest request, CancellationToken cancellationToken)
    {
        request.EnableBuffering(InMemory, Requests.LargestInstall);
        var digest = await SHA256.HashDataAsync(request.Body, cancellationToken);
        request.Body.Position = 0;
        return digest;
    }
}
