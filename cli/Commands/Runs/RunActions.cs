using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Watching;

namespace ManagedServers.Cli.Commands.Runs;

/// <summary>What the commands that act on a run have in common.</summary>
internal static class RunActions
{
    public static Option<string?> Reason() => new("--reason") { Description = "Why; kept in the run's audit.", HelpName = "TEXT" };

    public static Option<bool> Watch() => new("--watch") { Description = "Then watch the run to its end." };

    public static async Task<int> Do(Invocation call, Guid id, ChangeRequest<RunDetails> request, bool watch, string done, CancellationToken cancellationToken)
    {
        if (call.Get(StartedRuns.Plan))
        {
            return await StoredChanges.Show(call, request, cancellationToken);
        }

        // What it did before is an old story to who acts on it.
        var before = watch ? await RunWatch.SoFar(call, id, cancellationToken) : null;
        var answer = await call.Product.Changes.Make(request, cancellationToken);
        if (watch)
        {
            call.Screen.Note(done);
            return await RunWatch.ToTheEnd(call, id, cancellationToken, before);
        }

        if (call.Json)
        {
            call.Screen.Json(answer.Json);
            return ExitCode.Done;
        }

        call.Screen.Line($"{answer.Value.Id}  {call.Screen.Paint(SafeText.Line(RunWords.State(answer.Value)), Tones.OfRun(answer.Value.State))}");
        call.Screen.Note($"{done} To see it: msctl runs watch {answer.Value.Id}");
        return ExitCode.Done;
    }
}

/// <summary>Stops a run.</summary>
internal static class CancelRunCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();
    private static readonly Option<bool> Undo = new("--undo") { Description = "Also take back what the run did." };
    private static readonly Option<string?> Reason = RunActions.Reason();
    private static readonly Option<bool> Watch = RunActions.Watch();

    public static DocumentedCommand Build() => new DocumentedCommand("cancel", "Stop a run; with --undo, take back what it did.")
    {
        Examples = ["msctl runs cancel 6c1f0e6f4a2b --reason 'wrong host'", "msctl runs cancel 6c1f0e6f4a2b --undo --watch"],
    }.With(Id, Undo, Reason, Watch, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var id = await RunArgument.Resolve(call, Id, cancellationToken);
        return await RunActions.Do(call, id, RunsApi.Cancel(id, new CancelRequest(call.Get(Undo), call.Get(Reason))), call.Get(Watch),
            call.Get(Undo) ? "It will be stopped and undone." : "It will be stopped.", cancellationToken);
    });
}

/// <summary>Lets a run try again.</summary>
internal static class RetryRunCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();
    private static readonly Option<int?> From = new("--from-step") { Description = "Go on from this step, by its number; 1 is the start. Those before it must be done.", HelpName = "N" };
    private static readonly Option<string?> Input = new("--input") { Description = "A file with the corrected input as JSON; - for standard input. The plan must stay the same as far as it has begun.", HelpName = "FILE" };
    private static readonly Option<string?> Reason = RunActions.Reason();
    private static readonly Option<bool> Watch = RunActions.Watch();

    public static DocumentedCommand Build() => new DocumentedCommand("retry", "Let a paused, failed or cancelled run go on, or a waiting one make its next try now.")
    {
        Examples = ["msctl runs retry 6c1f0e6f4a2b --watch", "msctl runs retry 6c1f0e6f4a2b --from-step 3 --reason 'freed port 53'"],
    }.With(Id, From, Input, Reason, Watch, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var id = await RunArgument.Resolve(call, Id, cancellationToken);
        var input = call.Get(Input) is { } file ? await JsonFile.Read(file, cancellationToken) : (System.Text.Json.JsonElement?)null;
        return await RunActions.Do(call, id, RunsApi.Retry(id, new ActionRequest { Reason = call.Get(Reason), FromStep = call.Get(From), Input = input }),
            call.Get(Watch), "It goes on.", cancellationToken);
    });
}

/// <summary>Lets a run go on without a step.</summary>
internal static class SkipStepCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();
    private static readonly Option<string?> Reason = RunActions.Reason();
    private static readonly Option<bool> Watch = RunActions.Watch();

    public static DocumentedCommand Build() => new DocumentedCommand("skip", "Let a paused run go on without the step at which it is paused.")
    {
        Examples = ["msctl runs skip 6c1f0e6f4a2b --reason 'done by hand'"],
    }.With(Id, Reason, Watch, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var id = await RunArgument.Resolve(call, Id, cancellationToken);
        return await RunActions.Do(call, id, RunsApi.Skip(id, new ActionRequest { Reason = call.Get(Reason) }), call.Get(Watch), "The step is skipped; it goes on.", cancellationToken);
    });
}

/// <summary>Lets a run go before or after others.</summary>
internal static class PriorityCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();
    private static readonly Argument<string> Priority = new("PRIORITY") { Description = "low, normal or high" };
    private static readonly Option<string?> Reason = RunActions.Reason();

    static PriorityCommand() => Priority.AcceptOnlyFromAmong("low", "normal", "high");

    public static DocumentedCommand Build() => new DocumentedCommand("priority", "Let a run go before or after others.")
    {
        Examples = ["msctl runs priority 6c1f0e6f4a2b high --reason 'the customer waits'"],
    }.With(Id, Priority, Reason, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var id = await RunArgument.Resolve(call, Id, cancellationToken);
        return await RunActions.Do(call, id, RunsApi.SetPriority(id, new ActionRequest { Reason = call.Get(Reason), Priority = call.Get(Priority) }), false, $"Its priority is {call.Get(Priority)}.", cancellationToken);
    });
}

/// <summary>Says yes or no to what a run asks.</summary>
internal static class DecideCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();
    private static readonly Option<string?> Step = new("--step") { Description = "The step that asks, by its name; not needed when only one does.", HelpName = "NAME" };
    private static readonly Option<string?> Reason = RunActions.Reason();
    private static readonly Option<bool> Watch = RunActions.Watch();

    public static DocumentedCommand Approve() => Build("approve", "Say yes to what a waiting run asks.", true, "Approved; it goes on.");

    public static DocumentedCommand Reject() => Build("reject", "Say no to what a waiting run asks.", false, "Rejected.");

    private static DocumentedCommand Build(string name, string description, bool approved, string done) => new DocumentedCommand(name, description)
    {
        Examples = [$"msctl runs {name} 6c1f0e6f4a2b --reason 'compared the fingerprints'"],
    }.With(Id, Step, Reason, Watch, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var id = await RunArgument.Resolve(call, Id, cancellationToken);
        var step = call.Get(Step) ?? Asking(await call.Product.Runs.Get(id, cancellationToken));
        return await RunActions.Do(call, id, RunsApi.Decide(id, step, approved, new ActionRequest { Reason = call.Get(Reason) }), call.Get(Watch), done, cancellationToken);
    });

    private static string Asking(Answer<RunDetails> run) => run.Value.Steps.FirstOrDefault(s => s is { Kind: "approval", State: StepStates.Waiting })?.Name
        ?? throw new UsageException($"Run {run.Value.Id} asks nothing now: it is {run.Value.State}.", $"See it: msctl runs show {run.Value.Id}");
}

/// <summary>Sends a run what it waits for.</summary>
internal static class SignalCommand
{
    private static readonly Argument<string> Id = RunArgument.Make();
    private static readonly Argument<string> Step = new("STEP") { Description = "Name of the step that waits, or will" };
    private static readonly Option<string> Payload = new("--payload") { Description = "A file with what the step waits for as JSON; - for standard input.", HelpName = "FILE", Required = true };
    private static readonly Option<string?> Reason = RunActions.Reason();

    public static DocumentedCommand Build() => new DocumentedCommand("signal", "Send a run what one of its steps waits for.")
    {
        Examples = ["msctl runs signal 6c1f0e6f4a2b host-checked-in --payload facts.json"],
    }.With(Id, Step, Payload, Reason, StartedRuns.Plan).Does(async (call, cancellationToken) =>
    {
        var id = await RunArgument.Resolve(call, Id, cancellationToken);
        var payload = await JsonFile.Read(call.Get(Payload)!, cancellationToken);
        return await RunActions.Do(call, id, RunsApi.Signal(id, call.Get(Step), new ActionRequest { Reason = call.Get(Reason), Payload = payload }), false, "Sent.", cancellationToken);
    });
}

/// <summary>JSON that is given in a file.</summary>
internal static class JsonFile
{
    public static async Task<System.Text.Json.JsonElement> Read(string path, CancellationToken cancellationToken)
    {
        try
        {
            var text = path == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : await File.ReadAllTextAsync(path, cancellationToken);
            return System.Text.Json.JsonDocument.Parse(text).RootElement;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or System.Text.Json.JsonException)
        {
            throw new UsageException($"{(path == "-" ? "Standard input" : $"The file {path}")} cannot be read as JSON: {fault.Message}", "Nothing was sent.");
        }
    }
}
