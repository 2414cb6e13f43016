using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class OriginTests(RunningProduct product) : DashboardTest(product)
{
    /// <summary>Another port of the same host is the same site: the browser sends the cookie, whatever its SameSite says.</summary>
    [Fact]
    public async Task A_page_of_another_port_cannot_open_a_circuit_with_the_cookie_of_who_is_signed_in()
    {
        var page = await AsAdmin();
        await page.GotoAsync("/servers");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Servers" })).ToBeVisibleAsync();
        Assert.Equal("opened", await Open(page));

        await page.RouteAsync("https://127.0.0.1:9/**", route => route.FulfillAsync(new() { ContentType = "text/html", Body = "<h1>Elsewhere</h1>" }));
        await page.GotoAsync("https://127.0.0.1:9/");

        Assert.Equal("refused", await Open(page));
        Product.Pages.Complaints.RemoveAll(c => c.Contains("/_blazor", StringComparison.Ordinal));
    }

    private Task<string> Open(IPage page) => page.EvaluateAsync<string>(
        """
        address => new Promise(done => {
            const socket = new WebSocket(address);
            socket.onopen = () => done('opened');
            socket.onerror = () => done('refused');
        })
        """,
        $"wss://{Product.Address.Authority}/_blazor");
}
