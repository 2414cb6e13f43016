using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Watching a run in a pipe.</summary>
public sealed class WatchTests : AgainstStandIn
{
    [Fact]
    public async Task A_pipe_gets_each_start_end_retry_and_log_line_once_with_its_time()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight", "Upload the image"));
        await using var watch = Msctl.Start(["runs", "watch", $"{run.Id}"]);
        await watch.Shows("install dns on ns1");
        run.Step(1, "running").Log(1, "python 3.11.2 is there");
        await watch.Shows("python");
        run.Step(1, "succeeded", "Debian 12 is ready", false);
        run.Step(2, "running", progress: 0.1).Step(2, "running", progress: 0.5).Step(2, "retrying", error: "connection reset", nextTry: TimeSpan.FromSeconds(5));
        await watch.Shows("next try");
        run.Step(2, "running").Log(2, "the host took it").Step(2, "succeeded", "19 MB uploaded", true).Become("succeeded");
        var end = await watch.End();

        Assert.Equal(0, end.ExitCode);
        Assert.Equal(
            [
                $"T install dns on ns1 (run {run.Id}, 2 steps)", "T [1/2] Preflight: started", "T [1/2]   python 3.11.2 is there", "T [1/2] Preflight: done in S: unchanged: Debian 12 is ready",
                "T [2/2] Upload the image: started", "T [2/2] Upload the image: failed (try 1), next try at T: connection reset", "T [2/2] Upload the image: try 2", "T [2/2]   the host took it",
                "T [2/2] Upload the image: done in S: 19 MB uploaded", "Succeeded after S: 2 steps, 1 changed something.",
            ],
            end.Lines.Select(Text.Timeless));
        Assert.DoesNotContain('\e', end.Out);
        Assert.Equal("", end.Error);
    }

    [Fact]
    public async Task What_a_host_says_stays_in_its_line()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running").Log(1, "fine\r\e[2JSucceeded", "warning").Step(1, "failed", error: "no\nSucceeded after 1 s: 1 step, nothing changed.\e[8m").Become("failed", "no way\nSucceeded after 1 s: 1 step, nothing changed.\e[8m");
        var end = await Msctl.Run("runs", "watch", $"{run.Id}");

        Assert.Equal(5, end.ExitCode);
        Assert.DoesNotContain('\e', end.Out);
        Assert.DoesNotContain('\r', end.Out);
        Assert.DoesNotContain(end.Lines, l => l.StartsWith("Succeeded", StringComparison.Ordinal));
        Assert.Contains(@"Failed after S: no way\nSucceeded after 1 s: 1 step, nothing changed.\x1b[8m", end.Lines.Select(Text.Timeless));
    }

    [Fact]
    public async Task A_watched_retry_tells_only_what_comes_after_it()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight", "Upload the image"));
        run.Done(1).Step(2, "running").Log(2, "no space left", "error").Step(2, "failed", error: "no space left").Become("paused", "Step 2, 'Upload the image', failed: no space left");
        Product.On("POST", $"/api/v2/runs/{run.Id}/retry", (_, _) =>
            (200, run.Step(2, "running").Log(2, "the host took it").Step(2, "succeeded", "19 MB uploaded", true).Become("succeeded").Json));

        var end = await Msctl.Run("runs", "retry", $"{run.Id}", "--watch");

        Assert.Equal(0, end.ExitCode);
        Assert.Equal(
            ["T [2/2] Upload the image: try 2", "T [2/2]   the host took it", "T [2/2] Upload the image: done in S: 19 MB uploaded", "Succeeded after S: 2 steps, 2 changed something."],
            end.Lines.Select(Text.Timeless));
    }

    [Fact]
    public async Task A_cut_connection_shows_one_calm_line_and_nothing_twice()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight", "Upload the image"));
        run.Done(1).Log(1, "first line");
        await using var watch = Msctl.Start(["runs", "watch", $"{run.Id}"]);
        await watch.Shows("first line");
        Product.Away = true;
        Product.CutStreams();
        await Until(() => Product.Requests.Count(r => r.Path.EndsWith("/events", StringComparison.Ordinal)) >= 3);
        run.Log(2, "said while nobody listened").Step(2, "running").Step(2, "interrupted").Step(2, "running");
        Product.Away = false;
        await watch.Shows("said while nobody listened");
        run.Step(2, "succeeded").Become("succeeded");
        var end = await watch.End();

        Assert.Equal(0, end.ExitCode);
        Assert.Equal("connection lost, trying again…\n", end.Error);
        Assert.Single(end.Lines, l => l.Contains("first line", StringComparison.Ordinal));
        Assert.Single(end.Lines, l => l.Contains("said while nobody listened", StringComparison.Ordinal));
        Assert.Single(end.Lines, l => l.Contains("Preflight: done", StringComparison.Ordinal));
        Assert.Equal("1", Product.Requests.Last(r => r.Path.EndsWith("/events", StringComparison.Ordinal)).LastEventId);
    }

    [Fact]
    public async Task A_failed_run_is_offered_for_another_try_unless_it_says_that_this_is_of_no_use()
    {
        foreach (var (why, isOffered) in new[] { ("port 53 is taken", true), ("Knot refuses it. Correct it: this run, tried again, has the same.", false) })
        {
            var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
            run.Step(1, "running").Step(1, "failed", error: why).Become("failed", $"Preflight failed: {why}");
            var end = await Msctl.Run("runs", "watch", $"{run.Id}");
            Assert.Contains($"msctl runs log {run.Id}", end.Error, StringComparison.Ordinal);
            Assert.Equal(isOffered, end.Error.Contains($"msctl runs retry {run.Id}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_paused_run_says_why_and_what_to_do_and_ends_with_6()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running").Log(1, "port 53 is taken", "error").Step(1, "failed", error: "systemd-resolved holds port 53").Become("paused", "Preflight failed: systemd-resolved holds port 53");
        var end = await Msctl.Run("runs", "watch", $"{run.Id}");

        Assert.Equal(6, end.ExitCode);
        Assert.Contains("error: port 53 is taken", end.Out, StringComparison.Ordinal);
        Assert.Contains("failed in ", end.Out, StringComparison.Ordinal);
        Assert.Contains("Paused at step 1 of 1: Preflight failed, as told above", end.Out, StringComparison.Ordinal);
        Assert.Contains($"msctl runs retry {run.Id} --watch", end.Error, StringComparison.Ordinal);
        Assert.Contains($"msctl runs skip {run.Id}", end.Error, StringComparison.Ordinal);
        Assert.Contains($"msctl runs cancel {run.Id} --undo", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_run_ends_with_5_and_its_reason()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running").Step(1, "failed", error: "no Docker").Become("failed", "Preflight failed: no Docker; nothing was changed");
        var end = await Msctl.Run("runs", "watch", $"{run.Id}");

        Assert.Equal(5, end.ExitCode);
        Assert.Contains("Failed after", end.Out, StringComparison.Ordinal);
        Assert.Contains("nothing was changed", end.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_error_of_a_failed_step_is_told_once()
    {
        const string error = "Knot refuses its configuration.\nline 8: bad address.";
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Check it"));
        run.Step(1, "running").Log(1, error, "error").Step(1, "failed", error: error)
            .Become("failed", "Step 1, 'Check it', failed: Knot refuses its configuration. line 8: bad address. What it had done was undone.");
        var end = await Msctl.Run("runs", "watch", $"{run.Id}");

        Assert.Equal(5, end.ExitCode);
        Assert.Single(end.Lines, l => l.Contains("bad address", StringComparison.Ordinal));
        Assert.EndsWith("Step 1, 'Check it', failed, as told above. What it had done was undone.", end.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_waits_for_another_names_it()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        await using var watch = Msctl.Start(["runs", "watch", $"{run.Id}"]);
        await watch.Shows("install dns on ns1");
        run.Become("queued", "Waits for run 42 (install dns on ns1), which is paused.");
        await watch.Shows("queued: Waits for run 42 (install dns on ns1), which is paused.");
        run.Done(1).Become("succeeded");
        Assert.Equal(0, (await watch.End()).ExitCode);
    }

    [Fact]
    public async Task Ctrl_C_leaves_the_run_alone_and_says_so()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running");
        await using var watch = Msctl.Start(["runs", "watch", $"{run.Id}"]);
        await watch.Shows("Preflight: started");
        watch.Signal("INT");
        var end = await watch.End();

        Assert.Equal(130, end.ExitCode);
        Assert.Equal($"Stopped watching; the run goes on. To see it again: msctl runs watch {run.Id}\n", end.Error);
        Assert.DoesNotContain(Product.Requests, r => r.Method == "POST");
    }

    [Fact]
    public async Task Json_is_one_object_a_line_with_the_products_own_documents()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Done(1).Log(1, "a line").Become("succeeded");
        var end = await Msctl.Run("runs", "watch", $"{run.Id}", "-o", "json");

        Assert.Equal(0, end.ExitCode);
        var documents = end.Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(["log", "end"], documents.Select(d => d.GetProperty("event").GetString()));
        Assert.Equal(run.Json, documents[^1].GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_run_is_found_by_the_end_of_its_id()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Done(1).Become("succeeded");
        Product.On("GET", "/api/v2/runs", $$"""{"items":[{{run.Json}}],"next":null}""");
        var end = await Msctl.Run("runs", "watch", $"{run.Id}"[^8..]);
        Assert.Equal(0, end.ExitCode);
        var none = await Msctl.Run("runs", "watch", "00000000");
        Assert.Equal(2, none.ExitCode);
    }

    [Fact]
    public async Task Nonsense_in_the_stream_is_told_and_not_retried_for_ever()
    {
        var id = Guid.NewGuid();
        Product.On("GET", $"/api/v2/runs/{id}", new ScriptedRun("install dns on ns1").Json);
        Product.OnRaw("GET", $"/api/v2/runs/{id}/events", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.WriteAsync("event: run\ndata: {\"id\":7}\n\n"u8.ToArray());
        });
        var end = await Msctl.Run("runs", "watch", $"{id}");

        Assert.Equal(1, end.ExitCode);
        Assert.Contains("is not understood", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Following_a_log_survives_a_cut_connection()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running").Log(1, "one");
        await using var follow = Msctl.Start(["runs", "log", $"{run.Id}", "--follow"]);
        await follow.Shows("one");
        Product.CutStreams();
        run.Log(1, "two").Step(1, "succeeded").Become("succeeded");
        var end = await follow.End();

        Assert.Equal(0, end.ExitCode);
        Assert.Equal(["T [1] one", "T [1] two"], end.Lines.Select(Text.Timeless));
    }
}
