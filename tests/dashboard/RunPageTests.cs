using ManagedServers.Engine;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class RunPageTests(RunningProduct product) : DashboardTest(product)
{
    [Fact]
    public async Task Steps_log_and_progress_stream_while_the_run_goes_on()
    {
        var (first, second) = (Unique("gate"), Unique("gate"));
        var run = await Product.Rehearse(new Rehearsal("rehearse a stream",
        [
            new Part { Title = "Load the image", Says = ["loading layer one"], Progress = 0.5, Note = "4 of 8 MB", Gate = first, Changed = "loaded 8 MB" },
            new Part { Title = "Start it", Says = ["starting"], Warns = "slow disk", Gate = second },
        ]));
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");
        var log = page.GetByRole(AriaRole.Log);

        await Expect(log).ToContainTextAsync("loading layer one");
        await Expect(page.GetByRole(AriaRole.Progressbar)).ToHaveAttributeAsync("value", "0.5");
        await Expect(page.GetByText("4 of 8 MB")).ToBeVisibleAsync();
        await Expect(log).Not.ToContainTextAsync("starting");

        Gates.Open(first);
        await Expect(page.GetByText("loaded 8 MB").First).ToBeVisibleAsync();
        await Expect(log).ToContainTextAsync("slow disk");
        await Expect(page.Locator("[data-step=part-2]")).ToHaveAttributeAsync("data-state", "Running");

        Gates.Open(second);
        await Expect(page.GetByText("2 of 2, 1 changed something")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-step=part-2]")).ToHaveAttributeAsync("data-state", "Succeeded");
    }

    [Fact]
    public async Task A_run_that_waits_for_its_next_try_makes_it_when_told_to()
    {
        var run = await Product.Rehearse(new Rehearsal("rehearse a wait", [new Part { Title = "Look again", FailsWith = "not yet", Retried = true }]));
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");
        await Expect(page.GetByText("Failed once, will be tried again")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Try now…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Try now" }).ClickAsync();

        await Expect(page.GetByText("Failed 2 times, will be tried again")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Cancelling_asks_first_and_keeps_the_reason()
    {
        var run = await Product.Rehearse(new Rehearsal("rehearse a cancel", [new Part { Title = "Wait", Gate = Unique("gate") }]));
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");

        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel…", Exact = true }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Leave it" }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        Assert.NotEqual(RunState.Cancelled, (await Product.Runs.Get(run))!.State);

        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel…", Exact = true }).ClickAsync();
        await dialog.GetByLabel("Reason").FillAsync("the wrong host");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel the run" }).ClickAsync();

        var history = page.GetByRole(AriaRole.Region, new() { Name = "History" });
        await Expect(history).ToContainTextAsync("the wrong host");
        await Expect(page.GetByText("Cancelled", new() { Exact = true }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Cancel…", Exact = true })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_paused_run_says_why_and_can_skip_its_step()
    {
        var run = await Product.Rehearse(new Rehearsal("rehearse a pause",
        [
            new Part { Title = "Open the firewall", FailsWith = "ufw on ns1 refused: no such profile" },
            new Part { Title = "Go on", Says = ["went on"] },
        ]));
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");
        await Expect(page.GetByTestId("reason")).ToContainTextAsync("no such profile");

        await page.GetByRole(AriaRole.Button, new() { Name = "Skip the step…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Skip the step" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("went on");
        await Expect(page.Locator("[data-step=part-1]")).ToHaveAttributeAsync("data-state", "Skipped");
    }

    [Theory]
    [InlineData("Approve", RunState.Succeeded)]
    [InlineData("Reject", RunState.Failed)]
    public async Task A_run_that_asks_is_answered_on_its_page(string answer, RunState outcome)
    {
        var run = await Product.Rehearse(new Rehearsal("rehearse a question", [new Part { Title = "Accept the new key?", Asks = true }]));
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");
        await Expect(page.GetByText("Waits for somebody to approve or reject it, until")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = $"{answer}…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Reason").FillAsync("looked at the console");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = answer, Exact = true }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "History" })).ToContainTextAsync("looked at the console");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = $"{answer}…" })).ToHaveCountAsync(0);
        await Expect(page.GetByText(outcome.ToString(), new() { Exact = true }).First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_log_shows_one_step_alone_and_markup_in_it_as_text()
    {
        var run = await Product.Rehearse(new Rehearsal("rehearse a filter",
        [
            new Part { Title = "First", Says = ["<script>document.title='owned'</script>"] },
            new Part { Title = "Second", Says = ["of the second"] },
        ]));
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");
        var log = page.GetByRole(AriaRole.Log);
        await Expect(log).ToContainTextAsync("of the second");
        await Expect(log).ToContainTextAsync("<script>document.title='owned'</script>");

        await page.GetByRole(AriaRole.Button, new() { Name = "First", Exact = true }).ClickAsync();

        await Expect(log).Not.ToContainTextAsync("of the second");
        await Expect(log).ToContainTextAsync("<script>");
        await Expect(page).ToHaveTitleAsync("rehearse a filter · Managed Servers");
    }

    [Fact]
    public async Task A_long_log_is_shown_from_its_end_and_stays_where_its_reader_scrolled()
    {
        var gate = Unique("gate");
        var run = await Product.Rehearse(new Rehearsal("rehearse a long log",
        [
            new Part { Title = "Talk", Says = [.. Enumerable.Range(1, 2500).Select(i => $"line number {i}")], Gate = gate },
            new Part { Title = "End", Says = ["the very end"] },
        ]));
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");
        var log = page.GetByRole(AriaRole.Log);
        await Expect(log.GetByText("line number 2500", new() { Exact = true })).ToBeInViewportAsync();
        await Expect(log).ToContainTextAsync("Only the last 1000 lines");
        await Expect(log.GetByText("line number 7", new() { Exact = true })).ToHaveCountAsync(0);

        await log.EvaluateAsync("box => box.scrollTop = 0");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Follow the end" })).ToBeVisibleAsync();
        Gates.Open(gate);
        await Expect(log).ToContainTextAsync("the very end");
        await Expect(log.GetByText("the very end")).Not.ToBeInViewportAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Follow the end" }).ClickAsync();
        await Expect(log.GetByText("the very end")).ToBeInViewportAsync();
    }

    [Fact]
    public async Task The_list_of_runs_shows_only_the_states_asked_for()
    {
        var title = Unique("rehearse a failure");
        var run = await Product.Rehearse(new Rehearsal(title, [new Part { Title = "Fail", FailsWith = "it broke" }]));
        var page = await AsAdmin();
        await page.GotoAsync("/runs");
        var row = page.Locator($"[data-run='{run}']");
        await Expect(row).ToContainTextAsync("Paused");

        await page.GetByLabel("Show runs in this state").SelectOptionAsync("Succeeded");

        await Expect(row).ToHaveCountAsync(0);
    }
}
