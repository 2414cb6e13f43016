using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class ServerPageTests(RunningProduct product) : DashboardTest(product)
{
    [Fact]
    public async Task Queries_for_names_without_a_row_stand_in_one_row_so_that_the_figures_add_up()
    {
        var name = Unique("ns");
        var server = await Product.Hosts.Add(name, "dns", "monitor");
        await Product.Hosts.Hit(server, 4016, ("www.example.org.", "A", 20));
        var page = await AsAdmin();
        await page.GotoAsync($"/servers/{server}");

        var hits = page.GetByRole(AriaRole.Table, new() { Name = "Names that were asked for" });
        await Expect(hits.GetByRole(AriaRole.Row).Filter(new() { HasText = "www.example.org." })).ToContainTextAsync("20");
        await Expect(page.GetByTestId("other-names")).ToContainTextAsync("Other names");
        await Expect(page.GetByTestId("other-names").Locator(".number")).ToHaveTextAsync("4\u202f016");
        await Expect(page.GetByTestId("coverage")).ToContainTextAsync("4\u202f036 of 4\u202f038 queries");

        await page.GetByLabel("Show names that contain").FillAsync("www");
        await Expect(page.GetByTestId("other-names")).ToHaveCountAsync(0);

        await page.GotoAsync($"/servers/{name}");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = name })).ToBeVisibleAsync();
        await Expect(page.GetByTestId("coverage")).ToContainTextAsync("4\u202f036 of 4\u202f038 queries");
    }

    [Fact]
    public async Task Charts_show_what_was_measured_with_its_gaps_and_over_the_time_that_is_chosen()
    {
        var server = await Product.Hosts.Add(Unique("ns"), "dns", "monitor");
        var page = await AsAdmin();
        await page.GotoAsync($"/servers/{server}");
        var metrics = page.GetByRole(AriaRole.Region, new() { Name = "Metrics" });
        await Expect(metrics.GetByText("Nothing was measured in this period.")).ToBeVisibleAsync();

        await Product.Hosts.Measured(server);
        await page.ReloadAsync();
        await Expect(metrics.GetByTestId("chart")).ToHaveCountAsync(6);
        var disks = metrics.GetByTestId("chart").Filter(new() { HasText = "Disks in use" });
        await Expect(disks).ToContainTextAsync("/var/lib/docker 27.");
        // Begun anew after the pause.
        await Expect(disks.Locator(".line").First).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("^M[^M]+M[^M]+$"));

        await metrics.GetByLabel("Period of the charts").SelectOptionAsync("Last year");
        await Expect(metrics.GetByTestId("chart").First.GetByRole(AriaRole.Img)).ToHaveAttributeAsync("aria-label", new System.Text.RegularExpressions.Regex("Load: 1 min last 0"));
    }

    [Fact]
    public async Task What_is_wrong_with_a_server_stands_on_its_page_and_where_all_is_well_nothing_does()
    {
        var (well, silent) = (await Product.Hosts.Add(Unique("ns"), "dns", "monitor"), await Product.Hosts.Add(Unique("ns"), "dns", "monitor"));
        await Product.Hosts.Beat(well, 4, "dns", "monitor");
        await Product.Hosts.Hit(well, 0, ("www.example.org.", "A", 1));
        await Product.Hosts.Hit(silent, 0, ("www.example.org.", "A", 1));
        var page = await AsAdmin();

        await page.GotoAsync($"/servers/{silent}");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Alerts" })).ToContainTextAsync("The agent is silent, but DNS answers and is counted.");
        await page.GotoAsync($"/servers/{well}");
        await Expect(page.GetByTestId("coverage")).ToContainTextAsync("covered");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Alerts" })).ToHaveCountAsync(0);
    }
}
