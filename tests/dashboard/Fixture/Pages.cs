using Microsoft.Playwright;

namespace ManagedServers.Dashboard.Tests;

/// <summary>A real browser, and pages in it signed in as somebody.</summary>
public sealed class Pages : IAsyncDisposable
{
    private static readonly string Chromium = Path.Combine(AppContext.BaseDirectory, "Fixture", "chromium-alone.py");
    private readonly Uri address;
    private readonly IPlaywright playwright;
    private readonly IBrowser browser;
    private readonly Dictionary<string, string> signedIn = [];

    private Pages(Uri address, IPlaywright playwright, IBrowser browser) => (this.address, this.playwright, this.browser) = (address, playwright, browser);

    public static async Task<Pages> Open(Uri address)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        Assertions.SetDefaultExpectTimeout(20_000);
        return new Pages(address, playwright, browser);
    }

    /// <summary>A page of nobody.</summary>
    public async Task<IPage> Anonymous(int width = 1280, ColorScheme scheme = ColorScheme.Light) => await Page(null, width, scheme);

    /// <summary>A page of somebody, who signs in once for all tests.</summary>
    public async Task<IPage> As((string Name, string Password) person, int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        if (!signedIn.TryGetValue(person.Name, out var state))
        {
            var page = await Anonymous();
            await page.GotoAsync("/sign-in");
            await page.GetByLabel("Name").FillAsync(person.Name);
            await page.GetByLabel("Password").FillAsync(person.Password);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Servers" })).ToBeVisibleAsync();
            signedIn[person.Name] = state = await page.Context.StorageStateAsync();
            await page.Context.CloseAsync();
        }

        return await Page(state, width, scheme);
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }

    private async Task<IPage> Page(string? state, int width, ColorScheme scheme)
    {
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address.ToString(), IgnoreHTTPSErrors = true, StorageState = state, ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = 800 }, TimezoneId = "Europe/Berlin", Permissions = ["clipboard-read", "clipboard-write"],
        });
        context.SetDefaultTimeout(20_000);
        var page = await context.NewPageAsync();

        // A page that breaks the content security policy, or throws, fails its test.
        page.PageError += (_, error) => Complaints.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                Complaints.Add($"{message.Text} ({page.Url})");
            }
        };
        return page;
    }

    /// <summary>What browsers complained about so far.</summary>
    public List<string> Complaints { get; } = [];
}
