using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

/// <summary>Pictures of every page, for eyes: artifacts/pictures/PAGE-WIDTH-SCHEME.png. They prove nothing by themselves.</summary>
public sealed class PicturesTests(RunningProduct product) : DashboardTest(product)
{
    private const int Wide = 1280;
    private const int Narrow = 390;
    private readonly string folder = Directory.CreateDirectory(Path.Combine(Repository(), "artifacts", "pictures")).FullName;

    [Fact]
    public async Task Pictures_of_every_page_are_taken_wide_and_narrow_light_and_dark()
    {
        var stage = await Stage.Set(Product);
        var page = await AsAdmin();
        foreach (var (name, path, ready) in stage.Pages)
        {
            await page.GotoAsync(path);
            await Expect(page.GetByText(ready).First).ToBeVisibleAsync();
            await Take(page, name);
        }

        await page.GotoAsync(stage.Path("servers"));
        await page.GetByLabel("Actions on ns1").First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Menuitem, new() { Name = "Remove…" })).ToBeVisibleAsync();
        await Take(page, "menu");
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Run commands…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("check free disk").CheckAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("ask DNS").CheckAsync();
        await Take(page, "commands");
        await page.GotoAsync(stage.Path("run-live"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel and undo…" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await Take(page, "dialog");
        await page.GotoAsync(stage.Path("install"));
        await page.GetByText("Signing and transfers").First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a key" }).ClickAsync();
        await page.GetByLabel("DHCP").CheckAsync();
        await page.GetByLabel("Kea's Dhcp4 document").FillAsync("""{ "subnet4": [{ "subnet": "192.0.2.0/33" }] }""");
        await page.GetByRole(AriaRole.Button, new() { Name = "Install", Exact = true }).ClickAsync();
        await Expect(page.GetByText("Nothing was started")).ToBeVisibleAsync();
        await Expect(page.GetByText("subnet4[0].subnet: must be an IPv4 network")).ToBeVisibleAsync();
        await Take(page, "install-refused");

        var nobody = await Product.Pages.Anonymous();
        await nobody.GotoAsync("/sign-in");
        await Take(nobody, "sign-in");
        Assert.Equal(4 * (stage.Pages.Count + 5), Directory.GetFiles(folder, "*-*-*.png").Length);
    }

    private async Task Take(IPage page, string name)
    {
        foreach (var width in new[] { Wide, Narrow })
        {
            await page.SetViewportSizeAsync(width, 800);

            // As tall as the page, so that what is only drawn in sight is drawn.
            var height = await page.EvaluateAsync<int>("() => document.documentElement.scrollHeight");
            await page.SetViewportSizeAsync(width, Math.Max(800, height));
            foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
            {
                await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}-{scheme}.png".ToLowerInvariant()), Animations = ScreenshotAnimations.Disabled });
            }
        }

        await page.SetViewportSizeAsync(Wide, 800);
    }

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ManagedServers.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The tests do not lie in the repository.");
    }
}
