using System.Text.Json;

namespace ManagedServers.Engine;

/// <summary>A run as it is stored, on its way to those who look at it.</summary>
internal sealed record RunRow
{
    public required Guid Id { get; init; }
    public required string Kind { get; init; }
    public required string Title { get; init; }
    public string? Subject { get; init; }
    public required string State { get; init; }
    public string? Reason { get; init; }
    public required short Direction { get; init; }
    public required string RequestedBy { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public required int StepsDone { get; init; }
    public required int StepsTotal { get; init; }
    public required int StepsChanged { get; init; }
    public Guid? Parent { get; init; }
    public int Priority { get; init; }
    public int Version { get; init; }
    public string Plan { get; init; } = "";
    public string Input { get; init; } = "";
    public string? Node { get; init; }
    public int Recoveries { get; init; }
    public int Cursor { get; init; }
    public int? ProgressSeq { get; init; }
    public double? Progress { get; init; }
    public string? ProgressNote { get; init; }

    public RunState RunState => Enum.Parse<RunState>(State, ignoreCase: true);

    public bool InFlight => RunState is RunState.Queued or RunState.Running or RunState.Waiting;

    public static bool HasEnded(string state) => state is "succeeded" or "failed" or "cancelled";

    public RunSummary Summary() => new()
    {
        Id = Id,
        Kind = Kind,
        Title = Title,
        Subject = Subject,
        State = RunState,
        Reason = Reason,
        Undoing = Undoing,
        Undone = Direction < 0 && Cursor == 0 && HasEnded(State),
        RequestedBy = RequestedBy,
        CreatedAt = CreatedAt,
        StartedAt = StartedAt,
        FinishedAt = FinishedAt,
        StepsDone = StepsDone,
        StepsTotal = StepsTotal,
        StepsChanged = StepsChanged,
        Parent = Parent,
        Priority = (RunPriority)Priority,
    };

    public RunDetails Details(IReadOnlyList<StepDetails> steps, IReadOnlyList<RunEvent> events) => new(Summary())
    {
        Version = Version,
        Input = JsonSerializer.Deserialize<JsonElement>(Input),
        Node = Node,
        Recoveries = Recoveries,
        Steps = steps,
        Events = events,
    };

    private bool Undoing => Direction < 0 && (InFlight || RunState == RunState.Paused);
}
