using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class SignInTests(RunningProduct product) : DashboardTest(product)
{
    [Fact]
    public async Task Somebody_not_signed_in_is_led_to_the_sign_in_and_back_to_the_page_that_was_asked_for()
    {
        var page = await Product.Pages.Anonymous();
        await page.GotoAsync("/runs");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();

        await SignIn(page, "admin", Product.People.Admin.Password);

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Runs" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_name_get_the_same_answer()
    {
        var page = await Product.Pages.Anonymous();
        await page.GotoAsync("/sign-in");
        await SignIn(page, "admin", "not the password");
        var wrong = await page.GetByRole(AriaRole.Alert).First.InnerTextAsync();
        await SignIn(page, "nobody-of-this-name", "not the password");

        Assert.Equal(wrong, await page.GetByRole(AriaRole.Alert).First.InnerTextAsync());
        Assert.Equal("The name or the password is not right.", wrong);
    }

    [Theory]
    [InlineData("https://example.org/")]
    [InlineData("//example.org/")]
    [InlineData("/\\example.org/")]
    public async Task A_return_address_elsewhere_is_not_followed(string elsewhere)
    {
        var page = await Product.Pages.Anonymous();
        await page.GotoAsync("/sign-in?ReturnUrl=" + Uri.EscapeDataString(elsewhere));

        await SignIn(page, "admin", Product.People.Admin.Password);

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Servers" })).ToBeVisibleAsync();
        Assert.Equal(Product.Address.Authority, new Uri(page.Url).Authority);
    }

    [Fact]
    public async Task Signing_out_on_a_page_whose_sign_in_was_ended_elsewhere_leads_to_the_next_and_not_to_an_error()
    {
        var old = await Product.Pages.Anonymous();
        await old.GotoAsync("/");
        await SignIn(old, "admin", Product.People.Admin.Password);
        await old.GetByLabel("Account admin").ClickAsync();
        var other = await old.Context.NewPageAsync();
        await other.GotoAsync("/");
        await other.GetByLabel("Account admin").ClickAsync();
        await other.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(other.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();

        await old.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();

        await Expect(old.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        Product.Pages.Complaints.Clear(); // of the circuit that ended with its sign-in
    }

    [Fact]
    public async Task Signing_out_ends_the_session()
    {
        var page = await Product.Pages.Anonymous();
        await page.GotoAsync("/");
        await SignIn(page, "admin", Product.People.Admin.Password);
        await page.GetByLabel("Account admin").ClickAsync();
        var copied = (await page.Context.CookiesAsync()).Select(c => new Cookie { Name = c.Name, Value = c.Value, Domain = c.Domain, Path = c.Path, Secure = c.Secure, HttpOnly = c.HttpOnly, SameSite = c.SameSite });
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        // Nor does a copy of the cookie let anybody in.
        await page.Context.AddCookiesAsync(copied);

        await page.GotoAsync("/servers");

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_mistyped_address_says_that_there_is_no_such_page()
    {
        var page = await AsAdmin();

        var answer = await page.GotoAsync("/no/such/page");

        Assert.Equal(404, answer!.Status);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "There is no such page" })).ToBeVisibleAsync();
    }

    private static async Task SignIn(IPage page, string name, string password)
    {
        await page.GetByLabel("Name").FillAsync(name);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }
}
