namespace ManagedServers.Engine;

/// <summary>A step that can tell what it would do, by looking alone: so a run can be shown before it is started.</summary>
/// <typeparam name="TInput">The step's input.</typeparam>
/// <typeparam name="TResult">The step's result.</typeparam>
public interface IPreviewable<in TInput, TResult> where TResult : notnull
{
    /// <summary>Looks, and changes nothing. Throw <see cref="StepRejectedException"/> where the step would fail; any other exception says that it could not look.</summary>
    Task<Preview<TResult>> Preview(TInput input, CancellationToken cancellationToken);
}

/// <summary>What a step would do.</summary>
/// <typeparam name="TResult">The step's result.</typeparam>
public sealed record Preview<TResult> where TResult : notnull
{
    /// <summary>What it would give to the steps after it; null when that cannot be known before.</summary>
    public TResult? Result { get; init; }

    /// <summary>What would be different after it; empty for nothing.</summary>
    public IReadOnlyList<PlannedChange> Changes { get; init; } = [];

    /// <summary>What else is worth knowing, in one sentence.</summary>
    public string? Note { get; init; }

    /// <summary>It changes nothing.</summary>
    public static Preview<TResult> Nothing(TResult? result, string? note = null) => new() { Result = result, Note = note };

    /// <summary>It changes this.</summary>
    public static Preview<TResult> Of(TResult? result, params IReadOnlyList<PlannedChange> changes) => new() { Result = result, Changes = changes };
}

/// <summary>One thing that would be different.</summary>
/// <param name="Kind">How.</param>
/// <param name="Thing">What sort of thing it is, in a word: file, folder, image.</param>
/// <param name="Name">Which one.</param>
/// <param name="Detail">More about it, perhaps in many lines: what differs, a command's text.</param>
public sealed record PlannedChange(ChangeKind Kind, string Thing, string Name, string? Detail = null);

/// <summary>How a thing would be different.</summary>
public enum ChangeKind
{
    /// <summary>It would be there.</summary>
    Add,

    /// <summary>It would be another one, or have other contents.</summary>
    Change,

    /// <summary>It would be gone.</summary>
    Remove,

    /// <summary>It would run.</summary>
    Start,

    /// <summary>It would run no more.</summary>
    Stop,

    /// <summary>It would stop and run again.</summary>
    Restart,

    /// <summary>It would go on running, with something new.</summary>
    Reload,

    /// <summary>It would be run to its end.</summary>
    Run,
}
