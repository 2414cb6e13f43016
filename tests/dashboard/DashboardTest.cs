using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

/// <summary>What all tests of pages have.</summary>
[Collection(nameof(RunningProduct))]
public abstract class DashboardTest(RunningProduct product) : IAsyncLifetime
{
    protected RunningProduct Product { get; } = product;

    /// <summary>Names are shared by all tests, because the product is.</summary>
    protected static string Unique(string name) => $"{name}-{Guid.NewGuid().ToString("n")[..6]}";

    protected Task<IPage> AsAdmin(int width = 1280, ColorScheme scheme = ColorScheme.Light) => Product.Pages.As(Product.People.Admin, width, scheme);

    /// <summary>The row of one server, alone in the list.</summary>
    protected static async Task<ILocator> Row(IPage page, string server)
    {
        await page.GotoAsync("/servers");
        await page.GetByLabel("Show servers whose name contains").FillAsync(server);
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = server });
        await Expect(row).ToHaveCountAsync(1);
        return row;
    }

    public Task InitializeAsync()
    {
        Product.Pages.Complaints.Clear();
        return Task.CompletedTask;
    }

    /// <summary>Whatever a test is about, the browser must have nothing to complain about: no script error, nothing that the security policy refuses.</summary>
    public Task DisposeAsync()
    {
        Assert.DoesNotContain(Product.Pages.Complaints, IsOurs);
        return Task.CompletedTask;
    }

    // A refused sign-in and a missing page are answers with an error status, which the browser also writes down.
    private static bool IsOurs(string complaint) => !complaint.Contains("the server responded with a status of", StringComparison.Ordinal);
}
