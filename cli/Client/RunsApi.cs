using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ManagedServers.Cli.Client;

/// <summary>Executions of workflows.</summary>
/// <param name="http">Where the requests go.</param>
public sealed class RunsApi(ProductHttp http)
{
    private const string Root = "/api/v2/runs";

    // To show a plan, the product looks at the host.
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(2);

    /// <summary>Starts a run.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="idempotencyKey">The same key gives the same run, so a lost answer is asked for again.</param>
    /// <param name="cancellationToken">Gives up; the run may have started.</param>
    public Task<Answer<StartedRun>> Start(RunRequest request, string idempotencyKey, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, request.Path, request.Body, ClientJson.Default.StartedRun, idempotencyKey, cancellationToken: cancellationToken);

    /// <summary>What that run would do. Starts nothing.</summary>
    public Task<Answer<RunPlan>> Plan(RunRequest request, CancellationToken cancellationToken = default) =>
        http.Send(HttpMethod.Post, $"{request.Path}?plan=true", request.Body, ClientJson.Default.RunPlan, limit: Look, cancellationToken: cancellationToken);

    /// <summary>A page of runs, newest first.</summary>
    public Task<Answer<Page<RunSummary>>> List(string? state, string? kind, string? server, string? before, int? limit, CancellationToken cancellationToken = default) =>
        http.Get(
            new Query(Root).With("state", state).With("kind", kind).With("server", server).With("before", before).With("limit", limit).ToString(),
            ClientJson.Default.PageRunSummary, cancellationToken);

    /// <summary>One run with its steps.</summary>
    public Task<Answer<RunDetails>> Get(Guid id, CancellationToken cancellationToken = default) =>
        http.Get($"{Root}/{id}", ClientJson.Default.RunDetails, cancellationToken);

    /// <summary>Lines of a run's log after a number.</summary>
    public Task<Answer<Page<LogLine>>> Log(Guid id, long after, int? limit, CancellationToken cancellationToken = default) =>
        http.Get(
            new Query($"{Root}/{id}/log").With("after", after.ToString(CultureInfo.InvariantCulture)).With("limit", limit).ToString(),
            ClientJson.Default.PageLogLine, cancellationToken);

    /// <summary>Stops a run.</summary>
    public static ChangeRequest<RunDetails> Cancel(Guid id, CancelRequest request) => new(HttpMethod.Post, $"{Root}/{id}/cancel", JsonSerializer.Serialize(request, ClientJson.Default.CancelRequest), ClientJson.Default.RunDetails);

    /// <summary>Lets a paused, failed or cancelled run go on.</summary>
    public static ChangeRequest<RunDetails> Retry(Guid id, ActionRequest request) => Act(id, "retry", request);

    /// <summary>Lets a run go on after the step at which it is paused, or for which it waits.</summary>
    public static ChangeRequest<RunDetails> Skip(Guid id, ActionRequest request) => Act(id, "skip", request);

    /// <summary>Lets a run go before or after others.</summary>
    public static ChangeRequest<RunDetails> SetPriority(Guid id, ActionRequest request) => Act(id, "priority", request);

    /// <summary>Sends a step what it waits for.</summary>
    public static ChangeRequest<RunDetails> Signal(Guid id, string step, ActionRequest request) => Act(id, $"steps/{Query.Part(step)}/signal", request);

    /// <summary>Approves or rejects what a step asks.</summary>
    public static ChangeRequest<RunDetails> Decide(Guid id, string step, bool approved, ActionRequest request) => Act(id, $"steps/{Query.Part(step)}/{(approved ? "approve" : "reject")}", request);

    private static ChangeRequest<RunDetails> Act(Guid id, string action, ActionRequest request) =>
        new(HttpMethod.Post, $"{Root}/{id}/{action}", JsonSerializer.Serialize(request, ClientJson.Default.ActionRequest), ClientJson.Default.RunDetails);

    /// <summary>
    /// One connection's worth of a run's events: returns when the product closes the stream, throws when the connection breaks
    /// or when nothing came for a while (a connection can be dead without anybody having said so).
    /// </summary>
    /// <param name="id">The run.</param>
    /// <param name="after">The last log line that was seen; 0 for none.</param>
    /// <param name="silence">How long nothing may come.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProductException">Refused, cut, silent or not understood.</exception>
    public async IAsyncEnumerable<StreamedEvent> Events(Guid id, long after, TimeSpan silence, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var path = $"{Root}/{id}/events";
        var tried = $"GET {new Uri(http.Address, path)}";
        using var response = await http.Open(path, after > 0 ? after.ToString(CultureInfo.InvariantCulture) : null, cancellationToken);
        if (response.Content.Headers.ContentType?.MediaType is var type and not "text/event-stream")
        {
            throw new MalformedAnswerException($"a stream of events was expected, not '{type}'", tried);
        }

        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var events = SseParser.Create(stream).EnumerateAsync(patience.Token).GetAsyncEnumerator(patience.Token);
        while (await Next(events, patience, silence, tried, cancellationToken) is { } item)
        {
            if (Understand(item, tried) is { } known)
            {
                yield return known;
            }
        }
    }

    private static async Task<SseItem<string>?> Next(
        IAsyncEnumerator<SseItem<string>> events, CancellationTokenSource patience, TimeSpan silence, string tried, CancellationToken cancellationToken)
    {
        patience.CancelAfter(silence);
        try
        {
            return await events.MoveNextAsync() ? events.Current : null;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SilentStreamException(tried, e);
        }
        catch (Exception e) when (Failures.IsTransport(e, cancellationToken))
        {
            throw Failures.Unreachable(e, tried);
        }
    }

    private static StreamedEvent? Understand(SseItem<string> item, string tried)
    {
        try
        {
            return item.EventType switch
            {
                "run" => new RunChanged(Read(item.Data, ClientJson.Default.RunDetails), item.Data),
                "end" => new RunEnded(Read(item.Data, ClientJson.Default.RunDetails), item.Data),
                "log" => new LogWritten(Read(item.Data, ClientJson.Default.LogLine), item.Data),
                _ => null,   // a newer product may say more
            };
        }
        catch (JsonException e)
        {
            throw new MalformedAnswerException($"the event '{item.EventType}' is not what the product sends: {e.Message}", tried, e);
        }
    }

    private static T Read<T>(string json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(json, type) ?? throw new JsonException("It is null.");
}
