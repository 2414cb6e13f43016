namespace ManagedServers.Cli.Client;

/// <summary>What a run would do to a server.</summary>
public sealed record RunPlan
{
    /// <summary>What the run would be called.</summary>
    public required string Title { get; init; }

    /// <summary>Name of the server.</summary>
    public required string Server { get; init; }

    /// <summary>Something on the host would be different; null when that is not known.</summary>
    public bool? WouldChange { get; init; }

    /// <summary>How the run would fail.</summary>
    public string? WouldFail { get; init; }

    /// <summary>Why some or all of it was not looked at.</summary>
    public string? NotLookedAt { get; init; }

    /// <summary>In order.</summary>
    public IReadOnlyList<PlannedStep> Steps { get; init => field = value ?? []; } = [];

    /// <summary>Who would notice.</summary>
    public IReadOnlyList<ServiceImpact> Affected { get; init => field = value ?? []; } = [];

    /// <summary>Runs that it would wait for.</summary>
    public IReadOnlyList<RunSummary> Ahead { get; init => field = value ?? []; } = [];
}

/// <summary>A step of a plan.</summary>
public sealed record PlannedStep
{
    /// <summary>Position, from 1.</summary>
    public required int Seq { get; init; }

    /// <summary>Title for operators.</summary>
    public required string Title { get; init; }

    /// <summary>It may be skipped.</summary>
    public bool Conditional { get; init; }

    /// <summary><c>pause</c>, <c>compensate</c>, <c>fail</c> or <c>continue</c>.</summary>
    public string? OnFailure { get; init; }

    /// <summary>What it would change; null when it was not looked at.</summary>
    public StepPreview? Preview { get; init; }
}

/// <summary>What a step would change.</summary>
public sealed record StepPreview
{
    /// <summary>Empty for nothing.</summary>
    public IReadOnlyList<PlannedChange> Changes { get; init => field = value ?? []; } = [];

    /// <summary>What else is worth knowing.</summary>
    public string? Note { get; init; }

    /// <summary>It would be skipped.</summary>
    public bool Skipped { get; init; }

    /// <summary>How it would fail.</summary>
    public string? Failure { get; init; }

    /// <summary>Why it could not look.</summary>
    public string? Unknown { get; init; }
}

/// <summary>One thing that would be different.</summary>
/// <param name="Kind"><c>add</c>, <c>change</c>, <c>remove</c>, <c>start</c>, <c>stop</c>, <c>restart</c>, <c>reload</c> or <c>run</c>.</param>
/// <param name="Thing">For example <c>file</c>.</param>
/// <param name="Name">Which one.</param>
/// <param name="Detail">More about it, perhaps in many lines.</param>
public sealed record PlannedChange(string Kind, string Thing, string Name, string? Detail);

/// <summary>What a run means for whom a component serves.</summary>
public sealed record ServiceImpact
{
    /// <summary><c>dns</c> or <c>dhcp</c>.</summary>
    public required string Component { get; init; }

    /// <summary><c>none</c>, <c>reload</c>, <c>start</c>, <c>restart</c>, <c>stop</c> or <c>unknown</c>.</summary>
    public required string Interruption { get; init; }

    /// <summary>Zones or subnets; those that are served differently first.</summary>
    public IReadOnlyList<ServedName> Served { get; init => field = value ?? []; } = [];

    /// <summary>All of them.</summary>
    public int Total { get; init; }

    /// <summary>Those that would be interrupted or gone, and that no other server serves.</summary>
    public IReadOnlyList<string> SoleServerFor { get; init => field = value ?? []; } = [];

    /// <summary>Zones whose DNSSEC keys would go, and are nowhere else.</summary>
    public IReadOnlyList<string> KeysLost { get; init => field = value ?? []; } = [];
}

/// <summary>A zone or a subnet.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Effect"><c>unchanged</c>, <c>added</c>, <c>changed</c> or <c>removed</c>.</param>
/// <param name="AlsoServedBy">Other servers.</param>
public sealed record ServedName(string Name, string Effect, IReadOnlyList<string> AlsoServedBy);
