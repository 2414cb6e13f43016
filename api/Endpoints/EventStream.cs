using System.Buffers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace ManagedServers.Api.Endpoints;

/// <summary>Server-sent events with a comment line in every quiet quarter of a minute: proxies cut connections on which nothing is said for long, many after 30 s.</summary>
internal sealed class EventStream(IAsyncEnumerable<SseItem<JsonElement>> events) : IResult
{
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    public async Task ExecuteAsync(HttpContext context)
    {
        var (response, gone) = (context.Response, context.RequestAborted);
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would collect lines otherwise

        // At once, so that the reader knows that it is connected.
        await response.StartAsync(gone);
        await using var reader = events.GetAsyncEnumerator(gone);
        var next = reader.MoveNextAsync().AsTask();
        try
        {
            for (; await Saying(next); next = reader.MoveNextAsync().AsTask())
            {
                Write(response.BodyWriter, reader.Current);
                await response.BodyWriter.FlushAsync(gone);
            }
        }
        finally
        {
            // A reader that has gone leaves a question behind; only then can the events be let go.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task<bool> Saying(Task<bool> next)
        {
            while (true)
            {
                try
                {
                    return await next.WaitAsync(Quiet, time, gone);
                }
                catch (TimeoutException) when (!next.IsCompleted)
                {
                    response.BodyWriter.Write(":\n\n"u8);
                    await response.BodyWriter.FlushAsync(gone);
                }
            }
        }
    }

    // The JSON has no line end in it: it comes from a serializer that does not indent.
    private static void Write(IBufferWriter<byte> body, SseItem<JsonElement> item)
    {
        var id = item.EventId is { } given ? $"id: {given}\n" : "";
        Encoding.UTF8.GetBytes($"event: {item.EventType}\n{id}data: {item.Data.GetRawText()}\n\n", body);
    }
}
