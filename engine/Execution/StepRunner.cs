using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>How one call of a step's code went.</summary>
/// <param name="Output">What it gave, redacted.</param>
/// <param name="Error">Null when it succeeded.</param>
/// <param name="Rejected">Trying again cannot help.</param>
/// <param name="Stopped">It let go because it was told to; why, stands in the live run.</param>
/// <param name="LeftBehind">It did not let go: it may still be at work.</param>
/// <param name="Said">Whether it changed something, and what.</param>
internal sealed record StepOutcome(JsonElement? Output, string? Error, bool Rejected, bool Stopped, bool LeftBehind, (bool Changed, string Summary)? Said)
{
    /// <summary>Nobody can know whether the work was done: an operator is asked.</summary>
    public bool Uncertain { get; init; }

    /// <summary>Of an undo: the change stays, and what was done before it is taken back all the same.</summary>
    public bool Stays { get; init; }
}

/// <summary>One attempt to make: a step, or its undo.</summary>
internal sealed record Call(PlannedStep Step, int Direction, int Attempt, bool WasInterrupted, JsonElement Input, JsonElement? Made);

/// <summary>Calls a step's code in a scope of its own, with its time limit, and lets nothing that it does get past.</summary>
internal sealed class StepRunner(IServiceScopeFactory scopes, LiveRuns runs, Text text, EngineOptions options, TimeProvider time, ILogger<StepRunner> logger)
{
    /// <summary>A step of that run did not let go, and may still be at work here.</summary>
    public bool IsAtWorkFor(Guid run) => runs.IsAtWorkFor(run);

    public async Task<StepOutcome> Run(LiveRun run, Call call, JournalMemory journal)
    {
        var told = run.Signal;
        var limit = new CancellationTokenSource();
        // A callback of the step's own that throws would end the process if the timer called it.
        var timer = time.Once(call.Step.TimeLimit, () => _ = limit.CancelAsync());
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(told, limit.Token);
        var context = new RunStepContext(run, call.Step.Seq, call.Attempt, call.WasInterrupted, journal, text, cancellation.Token);
        var work = Task.Run(() => Invoke(run, call, context), CancellationToken.None);
        try
        {
            var letGo = await LetsGo(run, work, cancellation.Token);
            context.Close();
            if (!letGo)
            {
                runs.LeaveBehind(run.Id, work);
                return Left(call, told);
            }

            return Succeeded(await work, context);
        }
        catch (Exception fault)
        {
            // Whatever it throws after it was told to stop, it throws because of that.
            var stopped = told.IsCancellationRequested;
            return Failed(run, call, fault, stopped, timedOut: !stopped && limit.IsCancellationRequested, context);
        }
        finally
        {
            await timer.DisposeAsync();
            // Not disposed while the step may still look at its token.
            _ = work.ContinueWith(_ => { cancellation.Dispose(); limit.Dispose(); }, TaskScheduler.Default);
        }
    }

    private async Task<JsonElement?> Invoke(LiveRun run, Call call, StepContext context)
    {
        // The process may have stood still since the attempt was journalled: nothing begins on a lease that may be over.
        if (Stopwatch.GetElapsedTime(run.RenewedAt) > options.SelfFencing)
        {
            run.Stop(StopCause.LeaseLost);
            throw new OperationCanceledException();
        }

        await using var scope = scopes.CreateAsyncScope();
        var work = (IWork)call.Step.Body;
        if (call.Direction > 0)
        {
            return await work.Run(scope.ServiceProvider, call.Input, context);
        }

        await work.Undo(scope.ServiceProvider, call.Input, call.Made, context);
        return null;
    }

    private async Task<bool> LetsGo(LiveRun run, Task work, CancellationToken cancellation)
    {
        var cancelled = new TaskCompletionSource();
        await using var told = cancellation.Register(() => cancelled.TrySetResult());
        if (await Task.WhenAny(work, cancelled.Task) == work)
        {
            return true;
        }

        // Who lost the lease writes nothing anyway, so there is nothing to wait for.
        var patience = run.Cause == StopCause.LeaseLost ? TimeSpan.FromSeconds(1) : options.LetGo;
        using var enough = new CancellationTokenSource();
        var done = await Task.WhenAny(work, Task.Delay(patience, time, enough.Token)) == work;
        await enough.CancelAsync();
        return done;
    }

    private static StepOutcome Succeeded(JsonElement? output, RunStepContext context)
    {
        if (output is { ValueKind: JsonValueKind.Null })
        {
            return new StepOutcome(null, "The step did its work, but gave null in place of a result, with which later steps could not work.", true, false, false, context.Said);
        }

        var json = output is { } o ? Text.Json(o) : (JsonElement?)null;
        if (json is { } j && Text.KiBOverLimit(j) is { } size)
        {
            return new StepOutcome(null, $"The step did its work, but its result has {size:N0} KiB as JSON; at most {Text.JsonLimit / 1024} KiB can be journalled. "
                + "Return an id or a path, not the contents.", true, false, false, context.Said);
        }

        return new StepOutcome(json, null, false, false, false, context.Said);
    }

    private StepOutcome Failed(LiveRun run, Call call, Exception fault, bool stopped, bool timedOut, RunStepContext context)
    {
        logger.LogDebug(fault, "Run {Run}, step {Step}, attempt {Attempt} failed.", run.Id, call.Step.Name, call.Attempt);
        // A step that was cut off may know what that means, and says it by these two; of any other exception the limit is the cause.
        var (rejected, uncertain) = (fault is StepRejectedException, fault is StepUncertainException);
        var error = text.Error(timedOut && !rejected && !uncertain ? $"No answer within {Words.Duration(call.Step.TimeLimit)}, the time limit of this step." : Words.Of(fault));
        return new StepOutcome(null, error, rejected, stopped, false, context.Said) { Uncertain = uncertain, Stays = fault is StepStaysException };
    }

    private StepOutcome Left(Call call, CancellationToken told)
    {
        var why = told.IsCancellationRequested ? "was cancelled" : $"gave no answer within {Words.Duration(call.Step.TimeLimit)}, its time limit,";
        logger.LogWarning("Step {Step} {Why} and did not let go within {Patience}: it is left behind.", call.Step.Name, why, options.LetGo);
        return new StepOutcome(null, $"The step {why} and did not let go within {Words.Duration(options.LetGo)}. It may still be at work on the node: "
            + "look at what it works on before you retry.", true, told.IsCancellationRequested, true, null);
    }
}
