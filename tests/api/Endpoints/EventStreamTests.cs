using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using ManagedServers.Api.Endpoints;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace ManagedServers.Tests.Endpoints;

public sealed class EventStreamTests
{
    [Fact]
    public async Task A_reader_that_goes_away_ends_its_events_in_an_orderly_way()
    {
        using var gone = new CancellationTokenSource();
        var ended = false;
        await using var services = new ServiceCollection().AddSingleton(TimeProvider.System).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services, RequestAborted = gone.Token };
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        var writing = new EventStream(Endless()).ExecuteAsync(context);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.True(ended);

        async IAsyncEnumerable<SseItem<JsonElement>> Endless([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            try
            {
                yield return Event("log", "1");
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                // As a database that lets a connection go: not at once.
                await Task.Yield();
                ended = true;
            }
        }
    }

    [Fact]
    public async Task A_quiet_stream_says_a_comment_every_quarter_of_a_minute_and_goes_on_with_the_next_event()
    {
        var time = new WatchedTime();
        var pipe = new Pipe();
        var events = Channel.CreateUnbounded<SseItem<JsonElement>>();
        await using var services = new ServiceCollection().AddSingleton<TimeProvider>(time).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(pipe.Writer.AsStream()));
        events.Writer.TryWrite(Event("log", "1"));
        var writing = new EventStream(events.Reader.ReadAllAsync()).ExecuteAsync(context);
        using var reader = new StreamReader(pipe.Reader.AsStream());

        Assert.Equal(["event: log", "id: 1", "data: {\"a\":1}", ""], await Lines(reader, 4));
        for (var i = 0; i < 2; i++)
        {
            Assert.True(await time.Waiting.WaitAsync(TimeSpan.FromSeconds(20)));
            time.Advance(EventStream.Quiet);
            Assert.Equal([":", ""], await Lines(reader, 2));
        }

        events.Writer.TryWrite(Event("end", null));
        events.Writer.Complete();
        await writing;
        await pipe.Writer.CompleteAsync();
        Assert.Equal("event: end\ndata: {\"a\":1}\n\n", await reader.ReadToEndAsync());
    }

    private static SseItem<JsonElement> Event(string kind, string? id) => new(JsonSerializer.SerializeToElement(new { a = 1 }), kind) { EventId = id };

    private static async Task<List<string?>> Lines(StreamReader reader, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        List<string?> lines = [];
        while (lines.Count < count)
        {
            lines.Add(await reader.ReadLineAsync(patience.Token));
        }

        return lines;
    }

    /// <summary>Says when somebody has begun to wait: time that passes before is not part of the wait.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        public SemaphoreSlim Waiting { get; } = new(0);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Waiting.Release();
            return timer;
        }
    }
}
