using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine;

/// <summary>What a plan came to for one input.</summary>
internal sealed record BuiltPlan(IReadOnlyList<PlannedStep> Steps, string? ExclusiveKey, TimeSpan? Timeout)
{
    public PlanSnapshot Snapshot() => new([.. Steps.Select(s => new PlanSnapshot.Step(s.Name, s.Title, s.Body.TypeName, s.Body.Kind))]);
}

/// <summary>A registered workflow, its input's type forgotten.</summary>
internal abstract class WorkflowDefinition
{
    public required string Kind { get; init; }

    public required int Version { get; init; }

    /// <summary>How long an ended run is kept; null: as any other.</summary>
    public required TimeSpan? Routine { get; init; }

    public required Type WorkflowType { get; init; }

    public abstract string Title(JsonElement input);

    public abstract BuiltPlan Build(JsonElement input);

    /// <summary>What a run with that input would do, and be called.</summary>
    /// <exception cref="ArgumentException">The workflow's own code does not make it from that input.</exception>
    public (BuiltPlan Plan, string Title) Describe(JsonElement input)
    {
        try
        {
            return (Build(input), Title(input) ?? throw new InvalidOperationException("its title is null"));
        }
        catch (Exception fault) when (fault is not ArgumentException)
        {
            throw new ArgumentException($"The plan of '{Kind}' cannot be made from this input: {Words.Of(fault)}", fault);
        }
    }
}

internal sealed class WorkflowDefinition<TWorkflow, TInput>(TWorkflow workflow, Text text) : WorkflowDefinition
    where TWorkflow : IWorkflow<TInput>
    where TInput : notnull
{
    public static WorkflowDefinition Create(IServiceProvider services)
    {
        var name = typeof(TWorkflow).GetCustomAttribute<WorkflowAttribute>()
            ?? throw new InvalidOperationException($"{typeof(TWorkflow).Name} has no [Workflow(kind, version)] attribute.");
        Identifiers.Require(name.Kind, nameof(name.Kind));
        return new WorkflowDefinition<TWorkflow, TInput>(ActivatorUtilities.CreateInstance<TWorkflow>(services), services.GetRequiredService<Text>())
        {
            Kind = name.Kind,
            Version = name.Version,
            Routine = name.RoutineHours > 0 ? TimeSpan.FromHours(name.RoutineHours) : null,
            WorkflowType = typeof(TWorkflow),
        };
    }

    public override string Title(JsonElement input) => workflow.Title(Read(input));

    public override BuiltPlan Build(JsonElement input)
    {
        var plan = new WorkflowPlan<TInput>(Read(input), text);
        workflow.Describe(plan);
        return plan.Steps.Count > 0
            ? new BuiltPlan(plan.Steps, plan.ExclusiveKey, plan.RunTimeout)
            : throw new InvalidOperationException($"The plan of '{Kind}' has no steps.");
    }

    private static TInput Read(JsonElement input) => input.Deserialize<TInput>(EngineJson.Options)!;
}

/// <summary>All workflows of this process, by kind.</summary>
internal sealed class WorkflowCatalog
{
    private readonly Dictionary<string, WorkflowDefinition> byKind = [];

    public WorkflowCatalog(IEnumerable<WorkflowDefinition> definitions)
    {
        foreach (var definition in definitions)
        {
            if (!byKind.TryAdd(definition.Kind, definition) && byKind[definition.Kind].WorkflowType != definition.WorkflowType)
            {
                throw new InvalidOperationException(
                    $"{definition.WorkflowType.Name} and {byKind[definition.Kind].WorkflowType.Name} are both called '{definition.Kind}'.");
            }
        }
    }

    public IReadOnlyCollection<string> Kinds => byKind.Keys;

    /// <summary>Those whose runs are kept for a shorter time, and for how long.</summary>
    public IReadOnlyList<(string Kind, TimeSpan Kept)> Routine => [.. byKind.Values.Where(d => d.Routine is not null).Select(d => (d.Kind, d.Routine!.Value))];

    public WorkflowDefinition? Find(string kind) => byKind.GetValueOrDefault(kind);

    public WorkflowDefinition Of<TWorkflow>() => byKind.Values.FirstOrDefault(d => d.WorkflowType == typeof(TWorkflow))
        ?? throw new InvalidOperationException($"{typeof(TWorkflow).Name} is not registered: call services.AddWorkflow<{typeof(TWorkflow).Name}, …>().");
}
