using System.Text.Json.Nodes;

namespace ManagedServers.Cli.Tests.StandIn;

/// <summary>A run whose steps the test moves; it is given out as the contract says.</summary>
public sealed class ScriptedRun
{
    private readonly Lock gate = new();
    private readonly JsonObject run;
    private readonly List<JsonObject> log = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ScriptedRun(string title, params string[] steps)
    {
        Id = Guid.CreateVersion7();
        run = new JsonObject
        {
            ["id"] = Id, ["kind"] = "install", ["title"] = title, ["subject"] = "server:1", ["state"] = "queued", ["reason"] = null, ["undoing"] = false,
            ["requestedBy"] = "admin", ["createdAt"] = Now, ["startedAt"] = null, ["finishedAt"] = null, ["stepsDone"] = 0, ["stepsTotal"] = steps.Length, ["stepsChanged"] = 0,
            ["version"] = 1, ["input"] = new JsonObject(), ["node"] = "n1", ["recoveries"] = 0, ["events"] = new JsonArray(),
            ["steps"] = new JsonArray([.. steps.Select((s, i) => (JsonNode)new JsonObject
            {
                ["seq"] = i + 1, ["name"] = $"step-{i + 1}", ["title"] = s, ["state"] = "pending", ["attempts"] = 0, ["changed"] = null, ["summary"] = null, ["error"] = null,
                ["startedAt"] = null, ["finishedAt"] = null, ["nextTryAt"] = null, ["progress"] = null, ["progressNote"] = null, ["output"] = null,
            })]),
        };
    }

    public Guid Id { get; }

    public bool Ended => State is "succeeded" or "failed" or "cancelled";

    public string State => Read(r => (string)r["state"]!);

    private static string Now => TimeProvider.System.GetUtcNow().ToString("O");

    public string Json => Read(r => r.ToJsonString());

    /// <summary>Completes at the next change.</summary>
    public Task Changed
    {
        get
        {
            lock (gate)
            {
                return changed.Task;
            }
        }
    }

    public IReadOnlyList<(long Seq, string Json)> LogAfter(long seq) => Read(_ => log.Select((l, i) => (Seq: i + 1L, Json: l.ToJsonString())).Where(l => l.Seq > seq).ToList());

    public ScriptedRun Step(int seq, string state, string? summary = null, bool? changedSomething = null, string? error = null, int? attempt = null, double? progress = null, string? note = null, TimeSpan? nextTry = null) => Change(r =>
    {
        var step = (JsonObject)r["steps"]![seq - 1]!;
        var before = (string)step["state"]!;
        step["state"] = state;
        step["attempts"] = attempt ?? (state == "running" && before != "running" ? (int)step["attempts"]! + 1 : (int)step["attempts"]!);
        step["summary"] = summary;
        step["changed"] = changedSomething;
        step["error"] = error;
        step["progress"] = progress;
        step["progressNote"] = note;
        step["nextTryAt"] = nextTry is { } wait ? TimeProvider.System.GetUtcNow().Add(wait).ToString("O") : null;
        step["startedAt"] = state == "running" && before != "running" ? Now : step["startedAt"]?.DeepClone();
        step["finishedAt"] = state is "running" or "pending" ? null : Now;
        r["state"] = "running";
        r["startedAt"] ??= Now;
        r["stepsDone"] = r["steps"]!.AsArray().Count(s => (string)s!["state"]! is "succeeded" or "skipped");
        r["stepsChanged"] = r["steps"]!.AsArray().Count(s => (bool?)s!["changed"] == true);
    });

    public ScriptedRun Done(int seq, string? summary = null, bool? changedSomething = true) => Step(seq, "running").Step(seq, "succeeded", summary, changedSomething);

    public ScriptedRun AwaitsSignal(int seq, string name) => Change(r =>
    {
        var step = (JsonObject)r["steps"]![seq - 1]!;
        (step["name"], step["kind"], step["state"], step["attempts"]) = (name, "signal", "waiting", 1);
        (r["state"], r["startedAt"]) = ("waiting", Now);
    });

    public ScriptedRun Log(int step, string message, string level = "information") => Change(_ =>
        log.Add(new JsonObject { ["seq"] = log.Count + 1, ["at"] = Now, ["stepSeq"] = step, ["level"] = level, ["message"] = message }));

    public ScriptedRun Become(string state, string? reason = null) => Change(r =>
    {
        r["state"] = state;
        r["reason"] = reason;
        r["startedAt"] ??= Now;
        r["finishedAt"] = state is "succeeded" or "failed" or "cancelled" ? Now : null;
    });

    private ScriptedRun Change(Action<JsonObject> change)
    {
        lock (gate)
        {
            change(run);
            var waiting = changed;
            changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.SetResult();
        }

        return this;
    }

    private T Read<T>(Func<JsonObject, T> read)
    {
        lock (gate)
        {
            return read(run);
        }
    }
}
