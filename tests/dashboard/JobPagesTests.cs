using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

/// <summary>Hangfire's own pages under the product's sign-in.</summary>
public sealed class JobPagesTests(RunningProduct product) : DashboardTest(product)
{
    private Task<Guid> Paused(string title) =>
        Product.Rehearse(new Rehearsal(title, [new Part { Title = "Look around", Changed = "saw it" }, new Part { Title = "Open the firewall", FailsWith = "no such profile" }]));

    [Fact]
    public async Task A_paused_run_is_found_by_its_title_shows_its_steps_and_requeue_retries_it()
    {
        var title = Unique("rehearse jobs");
        var run = await Paused(title);
        var page = await AsAdmin();
        await OpenFailed(page, title);
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = title }).First).ToContainTextAsync("no such profile");
        await Picture(page, "jobs-failed");

        await OpenJob(page, title);
        await Expect(page.GetByText("saw it")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"Run {run}" })).ToHaveAttributeAsync("href", $"/runs/{run}");
        await Picture(page, "job");
        await page.GetByRole(AriaRole.Button, new() { Name = "Requeue" }).First.ClickAsync();
        await Expect(page.GetByText("The run goes on.").First).ToBeVisibleAsync();

        await page.GotoAsync($"/runs/{run}");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "History" })).ToContainTextAsync("Requeued on Hangfire's page.");
    }

    [Fact]
    public async Task Delete_cancels_the_run()
    {
        var title = Unique("rehearse jobs");
        var run = await Paused(title);
        var page = await AsAdmin();
        await OpenFailed(page, title);
        await OpenJob(page, title);

        page.Dialog += (_, sure) => sure.AcceptAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).First.ClickAsync();

        await Expect(page.GetByText("The run was cancelled.")).ToBeVisibleAsync();
        Assert.Equal(Engine.RunState.Cancelled, (await Product.Runs.Get(run))!.State);
    }

    [Fact]
    public async Task A_schedule_is_run_at_once_by_trigger_and_removed_by_delete()
    {
        var name = Unique("nightly");
        var input = JsonSerializer.SerializeToElement(new Rehearsal(name, [new Part { Title = "Look around" }]), Engine.EngineJson.Options);
        var schedules = Product.Services.GetRequiredService<Engine.ISchedules>();
        await schedules.Save(new Engine.ScheduleSettings { Name = name, Kind = "rehearsal", Input = input, Cron = "0 3 * * *" }, "admin");
        var page = await AsAdmin();
        await OpenUntil(page, "/hangfire/recurring", name);
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = name });

        await row.GetByRole(AriaRole.Checkbox).CheckAsync();
        await Press(page, "Trigger now");
        Assert.Equal("admin", Assert.Single(await Product.Runs.List(new Engine.RunFilter { Kind = "rehearsal" }), r => r.Title == name).RequestedBy);

        page.Dialog += (_, sure) => sure.AcceptAsync();
        await Picture(page, "jobs-recurring");
        await row.GetByRole(AriaRole.Checkbox).CheckAsync();
        await Press(page, "Delete");
        Assert.Null(await schedules.Get(name));
    }

    [Fact]
    public async Task Who_may_only_look_sees_no_buttons_and_strangers_see_nothing()
    {
        var title = Unique("rehearse jobs");
        await Paused(title);
        var reader = await Product.Pages.As(await Product.People.Add("jobs-reader", Workflows.Access.Groups.GlobalReadOnly));
        await OpenFailed(reader, title);
        await Expect(reader.GetByText(title).First).ToBeVisibleAsync();
        await Expect(reader.GetByText("Requeue")).ToHaveCountAsync(0);

        var stranger = await Product.Pages.Anonymous();
        await stranger.GotoAsync("/hangfire/jobs/failed");
        await Expect(stranger.GetByRole(AriaRole.Button, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    /// <summary>Returns when the page has loaded itself again, as it does after each of its commands.</summary>
    private static async Task Press(IPage page, string button)
    {
        await page.EvaluateAsync("() => { window.old = true }");
        await page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();
        await page.WaitForFunctionAsync("() => !window.old && document.readyState === 'complete'");
    }

    private static Task OpenFailed(IPage page, string title) => OpenUntil(page, "/hangfire/jobs/failed", title);

    // The buttons are deaf until the script at the page's end has run.
    private static async Task OpenJob(IPage page, string title)
    {
        await page.GetByRole(AriaRole.Link, new() { Name = title }).First.ClickAsync();
        await page.WaitForURLAsync("**/jobs/details/**");
    }

    /// <summary>The page once it shows that text: a moment after what it is about, and it does not follow by itself.</summary>
    private static async Task OpenUntil(IPage page, string path, string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        do
        {
            patience.Token.ThrowIfCancellationRequested();
            await page.GotoAsync(path);
        }
        while (await page.GetByText(text).CountAsync() == 0);
    }

    private static Task Picture(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, $"{name}.png"), FullPage = true });
}
