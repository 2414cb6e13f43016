using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class LayoutTests(RunningProduct product) : DashboardTest(product)
{
    [Fact]
    public async Task Nothing_scrolls_sideways_on_a_phone_a_tablet_or_a_small_window()
    {
        var stage = await Stage.Set(Product);
        var page = await AsAdmin(width: 390);
        foreach (var (name, path, ready) in stage.Pages)
        {
            await page.GotoAsync(path);
            await Expect(page.GetByText(ready).First).ToBeVisibleAsync();
            foreach (var width in new[] { 390, 721, 768, 900, 961, 1024 })
            {
                await page.SetViewportSizeAsync(width, 844);
                var beyond = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
                Assert.True(beyond <= 0, $"{name} is {beyond} pixels too wide at {width}.");
            }
        }
    }

    [Fact]
    public async Task The_colours_follow_the_system_until_they_are_chosen_and_the_choice_is_kept()
    {
        var page = await AsAdmin(scheme: ColorScheme.Dark);
        await page.GotoAsync("/servers");
        var body = page.Locator("body");
        await Expect(body).ToHaveCSSAsync("background-color", "rgb(14, 18, 23)");

        await page.GetByLabel("Colours: as the system. Change").ClickAsync();
        await Expect(body).ToHaveCSSAsync("background-color", "rgb(244, 245, 247)");
        await page.ReloadAsync();

        await Expect(body).ToHaveCSSAsync("background-color", "rgb(244, 245, 247)");
        await Expect(page.GetByLabel("Colours: light. Change")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Times_are_the_reader_s_own_with_UTC_in_the_tooltip()
    {
        var run = await Product.Rehearse(new Rehearsal("rehearse a time", [new Part { Title = "One" }]));
        var asked = (await Product.Runs.Get(run))!.CreatedAt;
        var page = await AsAdmin();
        await page.GotoAsync($"/runs/{run}");

        var time = page.Locator(".facts local-time").First;

        await Expect(time).ToHaveAttributeAsync("title", $"{asked.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        var berlin = TimeZoneInfo.ConvertTime(asked, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        await Expect(time).ToContainTextAsync($"{berlin:HH:mm:ss}");
    }
}
