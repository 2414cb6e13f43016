using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Engine.Tests;

public sealed class TextTests
{
    [Fact]
    public async Task Who_acts_and_what_a_run_is_found_by_are_kept_as_given_or_refused_by_name()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);
        var id = await node.Begin("a");
        await node.Save(ScheduleBook.Scripted("nightly") with { Cron = "0 3 * * *" });
        var control = node.Services.GetRequiredService<IEngineControl>();
        var start = new StartRun { RequestedBy = "ada" };

        foreach (var bad in new[] { "nul \0", "half \ud800", "\udc00 half", "", "  ", new string('x', 201), new string('x', 1_000_000) })
        {
            await Refused("RequestedBy", () => node.Begin(new Script(["a"]), start with { RequestedBy = bad }));
            await Refused("Subject", () => node.Begin(new Script(["a"]), start with { Subject = bad }));
            await Refused("DedupeKey", () => node.Begin(new Script(["a"]), start with { DedupeKey = bad }));
            await Refused("who", () => node.Runs.Cancel(id, CancelMode.Stop, bad));
            await Refused("who", () => node.Runs.Act(new RunFilter { Kind = "scripted" }, BulkVerb.Cancel, bad));
            await Refused("who", () => control.PauseKind("scripted", bad));
            await Refused("who", () => node.Schedules().Pause("nightly", bad, "holidays"));
            await Refused("DedupeKey", () => node.Schedules().RunNow("nightly", "ada", dedupeKey: bad));
            await Refused("NodeName", () => TestNode.Start(options: o => o.NodeName = bad));
            Assert.Contains("subject", (await Assert.ThrowsAsync<InvalidScheduleException>(
                () => node.Save(ScheduleBook.Scripted("bad") with { Cron = "0 3 * * *", Subject = bad.Trim() }))).Problems.Select(p => p.Field));
        }
    }

    [Fact]
    public async Task What_could_not_be_kept_is_refused_also_where_it_is_only_looked_for()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);
        var control = node.Services.GetRequiredService<IEngineControl>();

        foreach (var bad in new[] { "nul \0", "half \ud800" })
        {
            await Refused("Kind", () => node.Runs.List(new RunFilter { Kind = bad }));
            await Refused("Subject", () => node.Runs.List(new RunFilter { Subject = bad }));
            await Refused("kind", () => control.ResumeKind(bad, "ada"));
            await Refused("node", () => control.Drain(bad, "ada"));
            await Refused("node", () => control.Undrain(bad, "ada"));
            await Refused("name", () => node.Schedules().Get(bad));
            await Refused("name", () => node.Schedules().Resume(bad, "ada"));
            Assert.Throws<UnstorableTextException>("key", () => new WorkflowPlan<string>("", new Text([])).Exclusive(bad));
            Assert.Throws<UnstorableTextException>("name", () => new WorkflowPlan<string>("", new Text([])).Delay(bad, "Wait", TimeSpan.Zero));
        }
    }

    [Fact]
    public async Task What_is_kept_to_be_read_has_a_mark_in_place_of_what_cannot_be_kept()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);
        var id = await node.Begin(new Script(["a"]) { Title = "nul \0 half \ud800." });
        var control = node.Services.GetRequiredService<IEngineControl>();
        const string Bad = "nul \0 half \udc00.";

        await node.Runs.Cancel(id, CancelMode.Stop, "ada", Bad);
        await control.PauseKind("scripted", "ada", Bad);
        await node.Save(ScheduleBook.Scripted("nightly") with { Cron = "0 3 * * *", Title = "half \ud800." });
        await node.Schedules().Pause("nightly", "ada", Bad);

        var run = (await node.Runs.Get(id))!;
        Assert.Equal("nul \ufffd half \ufffd.", run.Title);
        Assert.StartsWith("nul \ufffd half \ufffd.", run.Events.Single(e => e.What == "cancelled").Why, StringComparison.Ordinal);
        Assert.Equal("nul \ufffd half \ufffd.", (await control.Kinds()).Single(k => k.Kind == "scripted").PausedWhy);
        Assert.Equal("half \ufffd.", (await node.Schedules().Get("nightly"))!.Title);
        Assert.Equal("Nul \ufffd", new WorkflowPlan<string>("", new Text([])).Step("a", "Nul \0", ScriptedStep.With(new Told("a", "a"))).Title);
    }

    [Fact]
    public async Task Half_a_character_in_an_input_is_refused_wherever_one_is_given()
    {
        await using var node = await TestNode.Start(new Actors().On("a", _ => throw new StepRejectedException("no")));
        var half = JsonSerializer.Deserialize<JsonElement>("""{"steps":[{"name":"a","payload":"\uD83D"}],"title":"t"}""");
        var whole = JsonSerializer.Deserialize<JsonElement>("""{"steps":[{"name":"a","payload":"\uD83D\uDE00 \\uD83D"}],"title":"t"}""");
        var id = await node.Begin("a");
        await node.Is(id, RunState.Paused);

        Assert.Equal(["input"], (await Assert.ThrowsAsync<InvalidScheduleException>(
            () => node.Save(ScheduleBook.Scripted("nightly") with { Cron = "0 3 * * *", Input = half }))).Problems.Select(p => p.Field));
        await Assert.ThrowsAsync<UnstorableTextException>(() => node.Runs.Retry(id, "ada", null, new RetryFrom { Input = half }));
        await node.Save(ScheduleBook.Scripted("nightly") with { Cron = "0 3 * * *", Input = whole });

        Assert.Equal("\U0001F600 \\uD83D", (await node.Schedules().Get("nightly"))!.Input.GetProperty("steps")[0].GetProperty("payload").GetString());
        Assert.Equal(RunState.Paused, (await node.Runs.Get(id))!.State);
    }

    [Fact]
    public async Task A_steps_title_is_one_line_of_at_most_200_characters_without_secrets()
    {
        await using var node = await TestNode.Start(new Actors().On("hunter2", _ => throw new StepRejectedException("no")), services: s => s.AddSingleton<IRedactor, Hunter>());

        var run = await node.Is(await node.Begin("hunter2"), RunState.Paused);

        Assert.Equal(("Do ***", "Step 1, 'Do ***', failed: no"), (run.Steps[0].Title, run.Reason));
        var title = new WorkflowPlan<string>("", new Text([])).Step("a", "First\nsecond " + new string('x', 1000), ScriptedStep.With(new Told("a", "a"))).Title;
        Assert.StartsWith("First second xxx", title, StringComparison.Ordinal);
        Assert.Equal(200, title.Length);
    }

    [Fact]
    public async Task The_keys_under_which_the_engine_itself_starts_runs_cannot_be_taken()
    {
        await using var node = await TestNode.Start(options: o => o.Workers = 0);

        foreach (var taken in new[] { "child:0193-1-0-1", "schedule:0193:2030-01-01T00:00:00Z" })
        {
            await Refused("DedupeKey", () => node.Begin(new Script(["a"]), new StartRun { RequestedBy = "mallory", DedupeKey = taken }));
        }
    }

    private sealed class Hunter : IRedactor
    {
        public string Redact(string text) => text.Replace("hunter2", "***", StringComparison.Ordinal);
    }

    private static async Task Refused(string parameter, Func<Task> call)
    {
        var refused = await Assert.ThrowsAnyAsync<ArgumentException>(call);
        Assert.Equal(parameter, refused.ParamName);
        Assert.True(refused.Message.Length < 300, "the rule is named, and not the text repeated");
    }
}
