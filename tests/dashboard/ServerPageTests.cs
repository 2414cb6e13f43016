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
}
