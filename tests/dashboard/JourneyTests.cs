using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using DnsClient;
using ManagedServers.Lab;
using ManagedServers.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

/// <summary>The whole way of an operator in a browser, with a real host behind it.</summary>
public sealed class JourneyTests : IAsyncLifetime
{
    private const string Zone = "$ORIGIN example.org.\n$TTL 300\n@ SOA ns1 hostmaster 1 2h 15m 2w 5m\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n";
    private LabHost host = null!;
    private ProductProcess product = null!;
    private Pages pages = null!;

    public async Task InitializeAsync()
    {
        host = await LabHost.Start();
        product = await ProductProcess.Start(IPAddress.Parse(host.Gateway));
        pages = await Pages.Open(product.Address);
    }

    public async Task DisposeAsync()
    {
        await (pages?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (product?.DisposeAsync() ?? ValueTask.CompletedTask);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_host_is_added_by_its_key_installed_step_by_step_shows_who_asks_it_for_what_and_is_stopped_and_uninstalled()
    {
        using var admin = product.Admin();
        (await admin.PostAsJsonAsync("/api/v2/commands", new { name = "say that it ran", text = "echo ran >/root/ran" })).EnsureSuccessStatusCode();
        var page = await pages.As(("admin", product.AdminPassword));
        await Add(page);
        await Install(page);
        await Ask(20);
        await SeeHits(page, 20);
        await Act(page, "Stop", "5");
        await Act(page, "Run commands", "7");
        Assert.Equal("ran", await host.Run("cat /root/ran"));
        await Act(page, "Uninstall", "6");
        Assert.Equal("", await host.Run("docker ps -aq; ls /var/lib/managed-servers 2> /dev/null || true"));
        Assert.Empty(pages.Complaints);
    }

    private async Task Add(IPage page)
    {
        await page.GotoAsync("/servers");
        await page.GetByRole(AriaRole.Link, new() { Name = "Add server" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("ns1.example.org");
        await page.GetByLabel("Address", new() { Exact = true }).FillAsync(host.Address);
        await page.GetByRole(AriaRole.Button, new() { Name = "Read the host's key" }).ClickAsync();
        var shown = page.GetByTestId("fingerprint").Locator(".mono");
        await Expect(shown).ToHaveTextAsync(new Regex("^SHA256:"));
        Assert.Contains(await shown.InnerTextAsync(), await host.Run("for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $k; done"), StringComparison.Ordinal);
        await page.GetByLabel("This is the host's own key").CheckAsync();
        await page.GetByLabel("Password", new() { Exact = true }).Last.FillAsync(host.RootPassword);
        await Picture(page, "journey-1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add server" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "ns1.example.org" })).ToBeVisibleAsync();
    }

    private static async Task Install(IPage page)
    {
        await page.GetByRole(AriaRole.Link, new() { Name = "Install…" }).ClickAsync();
        await page.GetByLabel("Zone", new() { Exact = true }).FillAsync("example.org");
        await page.GetByLabel("Zone file").FillAsync(Zone);
        await page.GetByText("Signing and transfers").ClickAsync();
        await page.GetByLabel("DNSSEC").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Install", Exact = true }).ClickAsync();

        await Expect(page.Locator("[data-step=preflight]")).ToHaveAttributeAsync("data-state", "Succeeded");
        await Picture(page, "journey-2");
        await Expect(page.Locator("[data-step=record]")).ToHaveAttributeAsync("data-state", "Succeeded", new() { Timeout = 240_000 });
        await Expect(page.Locator(".page-head")).ToContainTextAsync("Succeeded");
        await Picture(page, "journey-3");
    }

    private async Task Ask(int times)
    {
        var client = new LookupClient(new LookupClientOptions(IPAddress.Parse(host.Address)) { UseCache = false, Recursion = false, Retries = 2 });
        for (var i = 0; i < times; i++)
        {
            Assert.Single((await client.QueryAsync("www.example.org", QueryType.A)).Answers);
        }
    }

    private static async Task SeeHits(IPage page, int times)
    {
        await page.Locator(".facts").GetByRole(AriaRole.Link, new() { Name = "ns1.example.org" }).ClickAsync();
        var row = page.GetByRole(AriaRole.Table, new() { Name = "Names that were asked for" }).GetByRole(AriaRole.Row).Filter(new() { HasText = "www.example.org." });
        await Expect(row.Locator(".number").First).ToHaveTextAsync($"{times}", new() { Timeout = 60_000 });
        await Expect(page.GetByTestId("coverage")).ToContainTextAsync("100 % covered");
        await Expect(page.Locator(".page-head")).ToContainTextAsync("Running");
        await Picture(page, "journey-4");
    }

    private static async Task Act(IPage page, string verb, string number)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Actions on ns1.example.org" }).ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = $"{verb}…" }).Or(page.GetByText($"{verb}…", new() { Exact = true })).First.ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        if (verb == "Uninstall")
        {
            await Expect(dialog).ToContainTextAsync("With it go the DNSSEC keys of example.org, which are nowhere else");
            await dialog.GetByRole(AriaRole.Checkbox).CheckAsync();
        }

        if (verb == "Run commands")
        {
            await dialog.GetByLabel("say that it ran").CheckAsync();
            await dialog.GetByLabel("check free disk").CheckAsync();
            await Expect(dialog).ToContainTextAsync("2. check free disk");
        }

        await Picture(page, $"journey-{number}a");
        await dialog.GetByRole(AriaRole.Button, new() { Name = verb.Split(' ')[0], Exact = true }).ClickAsync();
        await Expect(page.Locator(".page-head")).ToContainTextAsync("Succeeded", new() { Timeout = 60_000 });
        await Picture(page, $"journey-{number}");
        await page.Locator(".facts").GetByRole(AriaRole.Link, new() { Name = "ns1.example.org" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Actions on ns1.example.org" })).ToBeVisibleAsync();
    }

    private static Task Picture(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(ProductProcess.Repository, "artifacts", "pictures", $"{name}.png"), FullPage = true, Animations = ScreenshotAnimations.Disabled });
}
