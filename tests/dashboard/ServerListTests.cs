using ManagedServers.Workflows.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class ServerListTests(RunningProduct product) : DashboardTest(product)
{
    [Fact]
    public async Task A_server_whose_beats_all_came_has_a_green_bar_its_versions_and_runs()
    {
        var name = Unique("ns");
        var id = await Product.Hosts.Add(name, "dns", "monitor");
        await Product.Hosts.Beat(id, 4, "dns", "monitor");

        var row = await Row(await AsAdmin(), name);

        await Expect(row.GetByRole(AriaRole.Img)).ToHaveAccessibleNameAsync("Healthy: 4 of 4 heartbeats in the last 2 minutes");
        await Expect(row.GetByRole(AriaRole.Img)).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("good"));
        await Expect(row).ToContainTextAsync("3.2.6");
        await Expect(row).ToContainTextAsync("Running");
    }

    [Fact]
    public async Task A_server_that_lost_beats_has_a_red_bar_that_says_how_many_came()
    {
        var name = Unique("ns");
        var id = await Product.Hosts.Add(name, "dns", "monitor");
        await Product.Hosts.Beat(id, 2, "dns", "monitor");

        var bar = (await Row(await AsAdmin(), name)).GetByRole(AriaRole.Img);

        await Expect(bar).ToHaveAccessibleNameAsync("Only 2 of 4 due heartbeats in the last 2 minutes");
        await Expect(bar).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("bad"));
    }

    [Fact]
    public async Task A_stopped_component_has_no_version_and_says_which_it_is()
    {
        var name = Unique("ns");
        var id = await Product.Hosts.Add(name, "dns", "monitor");
        await Product.Hosts.Beat(id, 4, "monitor");

        var row = await Row(await AsAdmin(), name);

        await Expect(row).ToContainTextAsync("Stopped");
        await Expect(row).ToContainTextAsync("dns is stopped");
        await Expect(row).Not.ToContainTextAsync("3.2.6");
    }

    [Fact]
    public async Task A_server_that_never_reported_is_starting_and_two_minutes_later_unreachable()
    {
        var name = Unique("ns");
        var id = await Product.Hosts.Add(name, "dns", "monitor");
        var row = await Row(await AsAdmin(), name);
        await Expect(row).ToContainTextAsync("Starting");
        await Expect(row).ToContainTextAsync("waiting for its first heartbeat");

        await Product.Hosts.Age(id, TimeSpan.FromMinutes(3));

        await Expect(row).ToContainTextAsync("Unreachable");
        await Expect(row).ToContainTextAsync("no heartbeat yet");
    }

    [Fact]
    public async Task A_server_that_fell_silent_says_how_long_ago_it_was_heard()
    {
        var name = Unique("ns");
        var id = await Product.Hosts.Add(name, "dns", "monitor");
        await Product.Hosts.Beat(id, 4, "dns", "monitor");
        await Product.Hosts.Age(id, TimeSpan.FromMinutes(4));

        var row = await Row(await AsAdmin(), name);

        await Expect(row).ToContainTextAsync("Unreachable");
        await Expect(row).ToContainTextAsync("last heard 4 min ago");
        await Expect(row.GetByTitle("last heard 4 min ago").First).ToBeVisibleAsync();
        await Expect(row).Not.ToContainTextAsync("3.2.6");
    }

    [Fact]
    public async Task The_list_follows_what_happens_without_being_asked()
    {
        var name = Unique("ns");
        var id = await Product.Hosts.Add(name);
        var row = await Row(await AsAdmin(), name);
        await Expect(row).ToContainTextAsync("New");

        var gate = Unique("gate");
        await Product.Hosts.LastRun(id, await Product.Rehearse(new Rehearsal("install on " + name, [new Part { Title = "Wait", Gate = gate }]), id));

        await Expect(row).ToContainTextAsync("Installing");
        Gates.Open(gate);
    }

    [Fact]
    public async Task A_name_with_markup_is_shown_as_text()
    {
        var name = Unique("<img src=x onerror=alert(1)>");
        await Product.Hosts.Add(name);
        var page = await AsAdmin();

        var row = await Row(page, name);

        await Expect(row.GetByRole(AriaRole.Link)).ToHaveTextAsync(name);
        await Expect(page.Locator("img")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Removing_a_server_asks_first()
    {
        var name = Unique("ns");
        await Product.Hosts.Add(name);
        var page = await AsAdmin();
        var row = await Row(page, name);

        await row.ClickAsync(new() { Button = MouseButton.Right });
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Remove…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync($"Remove {name}?");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Keep it" }).ClickAsync();
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(row).ToHaveCountAsync(1);

        await page.GetByLabel($"Actions on {name}").ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Remove…" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Remove", Exact = true }).ClickAsync();

        await Expect(row).ToHaveCountAsync(0);
        await Assert.ThrowsAsync<ServerNotFoundException>(() => Product.Services.GetRequiredService<Workflows.Servers.Servers>().Get(name));
    }

    [Fact]
    public async Task A_server_with_components_is_removed_only_when_that_is_ticked()
    {
        var name = Unique("ns");
        await Product.Hosts.Add(name, "dns");
        var page = await AsAdmin();
        await Row(page, name);

        await page.GetByLabel($"Actions on {name}").ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Remove…" }).ClickAsync();
        var remove = page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Remove", Exact = true });

        await Expect(remove).ToBeDisabledAsync();
        await page.GetByLabel("Remove it although dns").CheckAsync();
        await Expect(remove).ToBeEnabledAsync();
    }

    [Fact]
    public async Task A_column_sorts_up_and_down()
    {
        var stem = Unique("sorted");
        await Product.Hosts.Add(stem + "-b");
        await Product.Hosts.Add(stem + "-a");
        var page = await AsAdmin();
        await page.GotoAsync("/servers");
        await page.GetByLabel("Show servers whose name contains").FillAsync(stem);
        var names = page.Locator("tbody .name");

        await Expect(names).ToHaveTextAsync([stem + "-a", stem + "-b"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Name", Exact = true }).ClickAsync();

        await Expect(names).ToHaveTextAsync([stem + "-b", stem + "-a"]);
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Name" })).ToHaveAttributeAsync("aria-sort", "descending");
    }
}
