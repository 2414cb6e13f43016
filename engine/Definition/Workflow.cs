namespace ManagedServers.Engine;

/// <summary>Names a workflow. Runs remember kind and version, so a deploy that changes a plan is noticed.</summary>
/// <param name="kind">Stable identifier, lower case with dashes, for example <c>install</c>.</param>
/// <param name="version">Raised whenever the plan changes; compared when a stored run goes on after a deploy.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class WorkflowAttribute(string kind, int version = 1) : Attribute
{
    /// <summary>Stable identifier of the workflow.</summary>
    public string Kind { get; } = kind;

    /// <summary>Version of its plan.</summary>
    public int Version { get; } = version;

    /// <summary>
    /// Hours for which a run is kept after its end, where it happens so often that it would hide the others: lists show those of it that paused, failed or were
    /// cancelled, and the rest only to whoever asks for its kind. 0, the default: as any other.
    /// </summary>
    public int RoutineHours { get; set; }
}

/// <summary>A definition: from an input to a list of named steps.</summary>
/// <typeparam name="TInput">A record that serialises to JSON. It is journalled, so it holds ids and no secrets.</typeparam>
public interface IWorkflow<TInput> where TInput : notnull
{
    /// <summary>What operators read in lists, for example "ship order 42". At most 200 characters are kept.</summary>
    string Title(TInput input);

    /// <summary>Adds the steps, in order. Pure: the same input gives the same plan, on every node, at any time.</summary>
    void Describe(WorkflowPlan<TInput> plan);
}
