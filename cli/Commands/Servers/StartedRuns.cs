using System.CommandLine;
using System.Text.Json;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Watching;

namespace ManagedServers.Cli.Commands.Servers;

/// <summary>What every command that starts a run does: show the plan and start nothing, or start it and watch it to its end, or give its id.</summary>
internal static class StartedRuns
{
    public static readonly Option<bool> Plan = new("--plan") { Description = "Show what would be done, what it changes and who would notice. Starts nothing, changes nothing." };

    private static readonly Option<bool> NoWatch = new("--no-watch") { Description = "Begin and return at once with the run's id." };
    private static readonly Option<bool> Watch = new("--watch") { Description = "Show the run as it goes and end with its outcome. This is what is done if neither is given." };

    public static IReadOnlyList<Option> Watching { get; } = [Watch, NoWatch];

    public static IReadOnlyList<Option> Options { get; } = [.. Watching, Plan];

    public static readonly string PlanNote = $"--plan ends with {ExitCode.Done} whether or not anything would change (its last line says which; wouldChange in JSON), and with {ExitCode.Refused} when the run would fail as things are.";

    static StartedRuns() => Watch.Validators.Add(watch =>
    {
        if (watch is { Implicit: false } && watch.GetResult(NoWatch) is { Implicit: false })
        {
            watch.AddError("Both --watch and --no-watch were given.");
        }
    });

    /// <summary>As the options say.</summary>
    public static async Task<int> Do(Invocation call, RunRequest request, CancellationToken cancellationToken, string? idempotencyKey = null, string server = "")
    {
        if (!call.Get(Plan))
        {
            return await Follow(call, await call.Product.Runs.Start(request, idempotencyKey ?? Guid.CreateVersion7().ToString(), cancellationToken), cancellationToken, server);
        }

        var plan = await call.Product.Runs.Plan(request, cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(plan.Json);
        }
        else
        {
            new PlanText(call.Screen, call.Now).Write(plan.Value);
        }

        return plan.Value.WouldFail is null ? ExitCode.Done : ExitCode.Refused;
    }

    public static async Task<int> Follow(Invocation call, Answer<StartedRun> started, CancellationToken cancellationToken, string server = "")
    {
        var watch = !call.Get(NoWatch);
        foreach (var line in Ahead(started.Value.Ahead, call.Now, "It waits"))
        {
            call.Screen.Note(SafeText.Line(line), Tone.Warning);
        }

        Turn? turn = null;
        if (started.Value is { Enrolment: not null, Ahead.Count: > 0 })
        {
            turn = new Turn(ByHand.IsAskedFor, async ct =>
            {
                var due = await call.Product.Servers.Enrolment(server, ct);
                ByHand.Tell(call, due.Value, due.Json, server, watch);
            });
            call.Screen.Note(watch ? "Nothing is to be run on the host before its turn has come." : $"When its turn has come, what is to be run on the host is shown by: msctl servers enrol {ShellWord.Of(server)}");
        }
        else if (started.Value.Enrolment is { } enrolment)
        {
            using var answer = JsonDocument.Parse(started.Json);
            ByHand.Tell(call, enrolment, answer.RootElement.GetProperty("enrolment").GetRawText(), server, watch);
        }

        if (watch)
        {
            return await RunWatch.ToTheEnd(call, started.Value.RunId, cancellationToken, turn: turn);
        }

        if (call.Json)
        {
            call.Screen.Json(started.Json);
        }
        else
        {
            call.Screen.Line(started.Value.RunId.ToString());
            call.Screen.Note($"Started. To see it: msctl runs watch {started.Value.RunId}");
        }

        return ExitCode.Done;
    }

    /// <summary>For whom a run waits, in words: not yet made safe for a terminal.</summary>
    public static IEnumerable<string> Ahead(IReadOnlyList<RunSummary> ahead, DateTimeOffset now, string waits)
    {
        if (ahead is not [var first, ..])
        {
            yield break;
        }

        var more = ahead.Count > 1 ? $", and {Words.Many(ahead.Count - 1, "more run")} before its turn" : "";
        yield return $"{waits} for run {first.Id} ({first.Title}, started by {first.RequestedBy} {Words.Ago(first.CreatedAt, now)}, {first.State}){more}.";
        if (first.State == RunStates.Paused)
        {
            yield return $"That one goes on only when somebody says so: msctl runs show {first.Id}";
        }
    }
}
