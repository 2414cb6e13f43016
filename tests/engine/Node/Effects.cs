using Dapper;
using Npgsql;

namespace ManagedServers.Engine.Child;

/// <summary>What each step of the run does, and for how long.</summary>
public sealed record Effects(IReadOnlyList<Effect> Steps)
{
    public string? Key { get; init; }
}

/// <param name="Name">The step's name.</param>
/// <param name="Ms">How long it is at work after its effect.</param>
public sealed record Effect(string Name, int Ms)
{
    public bool PauseWhenInterrupted { get; init; }

    /// <summary>Logs all the time, and ends only when it is told to.</summary>
    public bool Talks { get; init; }
}

[Workflow("effects")]
public sealed class EffectsWorkflow : IWorkflow<Effects>
{
    public string Title(Effects input) => $"{input.Steps.Count} effects";

    public void Describe(WorkflowPlan<Effects> plan)
    {
        if (plan.Input.Key is { } key)
        {
            plan.Exclusive(key);
        }

        foreach (var effect in plan.Input.Steps)
        {
            plan.Step(effect.Name, effect.Name, EffectStep.With(effect))
                .WhenInterrupted(effect.PauseWhenInterrupted ? Interruption.Pause : Interruption.RunAgain)
                .Retry(Backoff.Fixed(20, TimeSpan.FromMilliseconds(200)));
        }
    }
}

public sealed record Left(int Attempt);

/// <summary>Leaves a row outside the journal each time its code really runs; the key of that table makes a second run of one attempt an error.</summary>
public sealed class EffectStep(NpgsqlDataSource database) : Step<EffectStep, Effect, Left>, IUndoable<Effect, Left>
{
    public const string Table = """
        create table if not exists public.effect (
            run_id uuid not null, seq int not null, attempt int not null, pid int not null, was_interrupted boolean not null, at timestamptz not null default clock_timestamp(),
            primary key (run_id, seq, attempt))
        """;

    public override async Task<Left> Run(Effect input, StepContext step)
    {
        Console.WriteLine($"before {step.RunId} {step.Seq} {step.Attempt}");
        await using (var connection = await database.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("insert into public.effect (run_id, seq, attempt, pid, was_interrupted) values (@RunId, @Seq, @Attempt, @ProcessId, @WasInterrupted)",
                new { step.RunId, step.Seq, step.Attempt, Environment.ProcessId, step.WasInterrupted });
        }

        Console.WriteLine($"after {step.RunId} {step.Seq} {step.Attempt}");
        for (var n = 0; input.Talks; n++)
        {
            step.Log($"{Environment.ProcessId} says {n}");
            step.Progress(0.5, $"{Environment.ProcessId} is at {n}");
            try
            {
                await Task.Delay(20, step.Cancellation);
            }
            catch (OperationCanceledException)
            {
                Console.WriteLine($"cancelled {step.RunId} {step.Seq} {step.Attempt}");
                throw;
            }
        }

        step.Log($"{input.Name} done, attempt {step.Attempt}");
        await Task.Delay(input.Ms, step.Cancellation);
        Console.WriteLine($"done {step.RunId} {step.Seq} {step.Attempt}");
        return new Left(step.Attempt);
    }

    public Task Undo(Effect input, Left? made, StepContext step)
    {
        Console.WriteLine($"undo {step.RunId} {step.Seq} {step.Attempt}");
        return Task.CompletedTask;
    }
}
