namespace ManagedServers.Engine;

/// <summary>What a definition fills: steps in order, and what holds for the whole run.</summary>
/// <typeparam name="TInput">The workflow's input.</typeparam>
public sealed class WorkflowPlan<TInput> where TInput : notnull
{
    private readonly List<PlannedStep> steps = [];
    private readonly Text text;

    internal WorkflowPlan(TInput input, Text text) => (Input, this.text) = (input, text);

    /// <summary>The run's input.</summary>
    public TInput Input { get; }

    internal IReadOnlyList<PlannedStep> Steps => steps;

    internal string? ExclusiveKey { get; private set; }

    internal TimeSpan? RunTimeout { get; private set; }

    /// <summary>One run at a time with this key; held while running, waiting or paused.</summary>
    /// <exception cref="ArgumentException">It has not 1 to 200 characters, or holds a NUL or half of a surrogate pair.</exception>
    public void Exclusive(string key)
    {
        Identifiers.Require(key, nameof(key));
        ExclusiveKey = key;
    }

    /// <summary>How long the run may take, waits and pauses not counted. More than a hundred years, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>, is a hundred years.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or nothing.</exception>
    public void Timeout(TimeSpan limit) => RunTimeout = TimeLimits.Limit(limit);

    /// <summary>Adds a step.</summary>
    /// <param name="name">Unique in the plan, lower case with dashes, for example <c>reserve-stock</c>; at most 200 characters.</param>
    /// <param name="title">What operators read, for example "Reserve 3 items".</param>
    /// <param name="body">The step's class with its input: <c>UploadImage.With(…)</c>.</param>
    public PlannedStep<TResult> Step<TResult>(string name, string title, PlannedBody<TResult> body) where TResult : notnull => Add(name, title, body);

    /// <summary>
    /// Waits, without a worker, until somebody sends the signal with the step's name (<see cref="IRunActions.Signal"/>); one that came before is kept. Fails when
    /// nobody does in time.
    /// </summary>
    /// <param name="name">The step's name, and the signal's.</param>
    /// <param name="title">What operators read, for example "Wait until the parcel has arrived".</param>
    /// <param name="limit">How long. More than a hundred years, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>, is a hundred years.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative or nothing.</exception>
    /// <typeparam name="TSignal">What the signal carries: the step's result.</typeparam>
    public PlannedStep<TSignal> WaitFor<TSignal>(string name, string title, TimeSpan limit) where TSignal : notnull =>
        Add(name, title, new AnySignal<TSignal>()).Retry(Backoff.None).Timeout(limit);

    /// <summary>Waits, without a worker, until somebody approves (<see cref="IRunActions.Decide"/>). A rejection fails the step, and by default undoes the run.</summary>
    /// <param name="name">The step's name.</param>
    /// <param name="title">What is to be approved, as a question or a command.</param>
    /// <param name="limit">How long. More than a hundred years, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>, is a hundred years.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative or nothing.</exception>
    public PlannedStep<Approval> Approve(string name, string title, TimeSpan limit) =>
        Add(name, title, new ApprovalSignal()).Retry(Backoff.None).Timeout(limit).OnFailure(StepFailure.Compensate);

    /// <summary>Waits, without a worker, for a time: none to a hundred years, which a longer one becomes. An operator may skip it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public PlannedStep<Nothing> Delay(string name, string title, TimeSpan time) => Add(name, title, new TimerBody()).Retry(Backoff.None).Takes(TimeLimits.Wait(time));

    /// <summary>
    /// Starts a run for each input, at most so many at once, and waits, without a worker, until all have succeeded. After one that failed or was cancelled
    /// no further ones are started, and the step fails when those under way have ended; tried again, it goes on with the ones that have not succeeded.
    /// A cancel of this run cancels them too. Default limit: 7 days.
    /// </summary>
    /// <param name="name">The step's name.</param>
    /// <param name="title">What operators read.</param>
    /// <param name="starts">The runs to start; as JSON at most 256 KiB together.</param>
    /// <param name="atOnce">How many may be under way.</param>
    public PlannedStep<ChildRuns> Children<TWorkflow, TChild>(string name, string title, Func<StepResults, IReadOnlyList<ChildStart<TChild>>> starts, int atOnce)
        where TWorkflow : IWorkflow<TChild>
        where TChild : notnull
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atOnce, 1);
        return Add(name, title, new ChildrenBody<TWorkflow, TChild>(starts, atOnce)).Retry(Backoff.None).Timeout(TimeSpan.FromDays(7));
    }

    /// <summary>Starts a run for each input known when this run starts.</summary>
    public PlannedStep<ChildRuns> Children<TWorkflow, TChild>(string name, string title, IReadOnlyList<ChildStart<TChild>> starts, int atOnce)
        where TWorkflow : IWorkflow<TChild>
        where TChild : notnull =>
        Children<TWorkflow, TChild>(name, title, _ => starts, atOnce);

    private PlannedStep<TResult> Add<TResult>(string name, string title, PlannedBody<TResult> body) where TResult : notnull
    {
        if (steps.Any(s => s.Name == name))
        {
            throw new InvalidOperationException($"Two steps are called '{name}'.");
        }

        Identifiers.Require(name, nameof(name));
        var step = new PlannedStep<TResult>(steps.Count + 1, name, text.Title(title ?? throw new ArgumentNullException(nameof(title))), body);
        steps.Add(step);
        return step;
    }
}

/// <summary>What a failed step means for its run, when its tries are used up.</summary>
public enum StepFailure
{
    /// <summary>The run pauses with the reason until an operator retries, skips or cancels. The default.</summary>
    Pause,

    /// <summary>What the run changed is undone, then it ends as failed.</summary>
    Compensate,

    /// <summary>The run ends as failed; nothing is undone. For steps before the first change.</summary>
    Fail,

    /// <summary>The failure is noted and the run goes on.</summary>
    Continue,
}

/// <summary>What to do with a step whose attempt ended without an answer.</summary>
public enum Interruption
{
    /// <summary>Run it again: it looks before it acts. The default.</summary>
    RunAgain,

    /// <summary>Pause and ask the operator: for what cannot be looked at, such as an operator's own command.</summary>
    Pause,
}

/// <summary>A step in its place in the plan.</summary>
public abstract class PlannedStep
{
    private protected PlannedStep(int seq, string name, string title, PlannedBody body) => (Seq, Name, Title, Body) = (seq, name, title, body);

    /// <summary>Position, from 1.</summary>
    public int Seq { get; }

    /// <summary>Name, unique in the plan.</summary>
    public string Name { get; }

    /// <summary>Title for operators.</summary>
    public string Title { get; }

    internal PlannedBody Body { get; }

    internal Backoff RetryPolicy { get; private protected set; } = Backoff.Default;

    internal TimeSpan TimeLimit { get; private protected set; } = TimeSpan.FromMinutes(10);

    internal StepFailure FailurePolicy { get; private protected set; } = StepFailure.Pause;

    internal Interruption InterruptionPolicy { get; private protected set; } = Interruption.RunAgain;

    internal Func<StepResults, bool>? Condition { get; private protected set; }
}

/// <summary>A planned step whose result other steps may use.</summary>
/// <typeparam name="TResult">Its result.</typeparam>
public sealed class PlannedStep<TResult> : PlannedStep where TResult : notnull
{
    internal PlannedStep(int seq, string name, string title, PlannedBody<TResult> body) : base(seq, name, title, body) { }

    /// <summary>How often and when it is tried again. Default: <see cref="Backoff.Default"/>.</summary>
    public PlannedStep<TResult> Retry(Backoff policy) { RetryPolicy = policy; return this; }

    /// <summary>
    /// How long one attempt, or the wait, may take. Default 10 minutes, and 7 days for child runs. More than a hundred years, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>,
    /// is a hundred years.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or nothing.</exception>
    public PlannedStep<TResult> Timeout(TimeSpan limit) => Takes(TimeLimits.Limit(limit));

    internal PlannedStep<TResult> Takes(TimeSpan time) { TimeLimit = time; return this; }

    /// <summary>What its failure means. Default: <see cref="StepFailure.Pause"/>.</summary>
    public PlannedStep<TResult> OnFailure(StepFailure policy) { FailurePolicy = policy; return this; }

    /// <summary>What its interruption means. Default: <see cref="Interruption.RunAgain"/>.</summary>
    public PlannedStep<TResult> WhenInterrupted(Interruption policy) { InterruptionPolicy = policy; return this; }

    /// <summary>Runs it only if the condition holds when its turn comes; otherwise it is journalled as skipped.</summary>
    public PlannedStep<TResult> When(Func<StepResults, bool> condition) { Condition = condition; return this; }
}
