using ManagedServers.Engine;
using ManagedServers.Workflows.Access;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class RightsTests(RunningProduct product) : DashboardTest(product)
{
    [Fact]
    public async Task A_reader_sees_servers_and_runs_but_nothing_to_act_with()
    {
        var name = Unique("ns");
        var server = await Product.Hosts.Add(name);
        var run = await Product.Rehearse(new Rehearsal("rehearse reading", [new Part { Title = "Wait", Gate = Unique("gate") }]), server);
        var page = await Product.Pages.As(await Product.People.Add("reader", Groups.GlobalReadOnly));

        await Row(page, name);
        await page.GetByLabel($"Actions on {name}").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Menuitem, new() { Name = "Details" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Menuitem, new() { Name = "Remove…" })).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Add server" })).ToHaveCountAsync(0);

        await page.GotoAsync($"/runs/{run}");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Rehearse reading" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Cancel…", Exact = true })).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("/servers/add")]
    [InlineData("/servers/019a0000-0000-7000-8000-000000000000/install")]
    public async Task A_reader_who_types_the_address_of_an_action_is_refused(string path)
    {
        var page = await Product.Pages.As(await Product.People.Add("reader", Groups.GlobalReadOnly));

        await page.GotoAsync(path);

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Not allowed" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Somebody_whose_right_was_taken_while_the_page_was_open_is_refused_by_the_server()
    {
        var run = await Product.Rehearse(new Rehearsal("rehearse a lost right", [new Part { Title = "Wait", Gate = Unique("gate") }]));
        var person = await Product.People.Add("demoted", Groups.Operators);
        var page = await Product.Pages.As(person);
        await page.GotoAsync($"/runs/{run}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel…", Exact = true }).ClickAsync();

        await Product.People.Move(person.Name, Groups.GlobalReadOnly);
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel the run" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Alert)).ToContainTextAsync("does not have the right 'Operate'");
        Assert.Equal(RunState.Running, (await Product.Runs.Get(run))!.State);
    }

    [Fact]
    public async Task A_server_s_own_account_without_a_password_cannot_sign_in()
    {
        var server = await Product.Hosts.Add(Unique("ns"));
        var page = await Product.Pages.Anonymous();
        await page.GotoAsync("/sign-in");
        await page.GetByLabel("Name").FillAsync($"server-{server:n}");
        await page.GetByLabel("Password").FillAsync(" ");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Alert).First).ToHaveTextAsync("The name or the password is not right.");
    }
}
