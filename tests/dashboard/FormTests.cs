using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ManagedServers.Dashboard.Tests;

public sealed class FormTests(RunningProduct product) : DashboardTest(product)
{
    [Fact]
    public async Task A_host_that_refuses_the_connection_says_so_at_its_address()
    {
        var page = await AsAdmin();
        await page.GotoAsync("/servers/add");
        await page.GetByLabel("Address", new() { Exact = true }).FillAsync("127.0.0.1");
        await page.GetByLabel("SSH port").FillAsync($"{ClosedPort()}");

        await page.GetByRole(AriaRole.Button, new() { Name = "Read the host's key" }).ClickAsync();

        await Expect(page.Locator("[data-field=address]").GetByRole(AriaRole.Alert)).ToContainTextAsync("127.0.0.1");
        await Expect(page.GetByLabel("Address", new() { Exact = true })).ToHaveAttributeAsync("aria-invalid", "true");
    }

    [Fact]
    public async Task Every_broken_rule_is_shown_at_its_field_in_one_go()
    {
        var page = await AsAdmin();
        await page.GotoAsync("/servers/add");
        await page.GetByLabel("Address", new() { Exact = true }).FillAsync("-bad-");
        await page.GetByLabel("SSH port").FillAsync("99999");

        await page.GetByRole(AriaRole.Button, new() { Name = "Add server" }).ClickAsync();

        foreach (var field in new[] { "name", "address", "sshPort", "password" })
        {
            await Expect(page.Locator($"[data-field={field}]").GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task An_install_leads_to_the_page_of_its_run()
    {
        var server = await Product.Hosts.Add(Unique("ns"));
        var page = await AsAdmin();
        await page.GotoAsync($"/servers/{server}/install");
        await page.GetByLabel("Zone", new() { Exact = true }).FillAsync("example.org");
        await page.GetByLabel("Zone file").FillAsync("$ORIGIN example.org.\n@ 3600 SOA ns1 hostmaster 1 7200 900 1209600 300\n@ 3600 NS ns1\nns1 3600 A 192.0.2.10\n");

        await page.GetByRole(AriaRole.Button, new() { Name = "Install", Exact = true }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Install dns and monitor on" })).ToBeVisibleAsync();
        await Expect(page.Locator("[data-step=preflight]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_zone_file_is_taken_from_a_file_with_its_name()
    {
        var server = await Product.Hosts.Add(Unique("ns"));
        var page = await AsAdmin();
        await page.GotoAsync($"/servers/{server}/install");

        // It stands in the page a moment before Blazor listens to it; nobody chooses a file that fast.
        await page.WaitForFunctionAsync("() => document.querySelector('input[type=file]')?._blazorInputFileNextFileId !== undefined");
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = "example.net.zone", MimeType = "text/plain", Buffer = "@ SOA …"u8.ToArray() });

        await Expect(page.GetByLabel("Zone file")).ToHaveValueAsync("@ SOA …");
        await Expect(page.GetByLabel("Zone", new() { Exact = true })).ToHaveValueAsync("example.net");
    }

    [Fact]
    public async Task A_secondary_zone_with_a_key_is_asked_for_and_each_of_its_rules_stands_at_its_field()
    {
        var server = await Product.Hosts.Add(Unique("ns"));
        var page = await AsAdmin();
        await page.GotoAsync($"/servers/{server}/install");
        await page.GetByLabel("Zone", new() { Exact = true }).FillAsync("example.org");
        await page.GetByText("Secondary").First.ClickAsync();
        await page.GetByLabel("Comes from").FillAsync("ns1.example.org");
        await page.GetByText("Signing and transfers").ClickAsync();
        await page.GetByLabel("Tells of changes").FillAsync("[2001:db8::53]:5353/xfr");
        await page.GetByLabel("Who else may transfer it").FillAsync("198.51.100.1/24, key xfr");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a key" }).ClickAsync();
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("xfr");
        await page.GetByLabel("Secret").FillAsync("no base64!");

        await page.GetByRole(AriaRole.Button, new() { Name = "Install", Exact = true }).ClickAsync();
        await Expect(page.Locator("[data-field='zones[0].primaries']").GetByRole(AriaRole.Alert)).ToContainTextAsync("'ns1.example.org', which is no IP address");
        await page.GetByLabel("Comes from").FillAsync("192.0.2.1/xfr");
        await page.GetByRole(AriaRole.Button, new() { Name = "Install", Exact = true }).ClickAsync();
        await Expect(page.Locator("[data-field='zones[0].allowTransfer']").GetByRole(AriaRole.Alert)).ToContainTextAsync("[0].address: must be an IP address");
        await Expect(page.Locator("[data-field='keys[0].secret']").GetByRole(AriaRole.Alert)).ToContainTextAsync("Must be Base64");

        await page.GetByLabel("Who else may transfer it").FillAsync("198.51.100.0/24, key xfr");
        await page.GetByLabel("Secret").FillAsync("YSBzZWNyZXQgb2YgdGhlIHRlc3Rz");
        await page.GetByRole(AriaRole.Button, new() { Name = "Install", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Install dns and monitor on" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_stands_in_a_form_survives_a_lost_connection_and_a_product_that_has_forgotten_the_page()
    {
        var server = await Product.Hosts.Add(Unique("ns"));
        var page = await AsAdmin();
        IWebSocketRoute? connection = null;
        await page.RouteWebSocketAsync("**/_blazor**", route => (connection = route).ConnectToServer());
        var lost = page.Locator("#components-reconnect-modal.components-reconnect-show, #components-reconnect-modal.components-reconnect-retrying");
        var zones = page.GetByLabel("Zone", new() { Exact = true });
        await page.GotoAsync($"/servers/{server}/install");
        await zones.First.FillAsync("example.org");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a zone" }).ClickAsync();
        await Expect(zones).ToHaveCountAsync(2);

        await connection!.CloseAsync();
        await Expect(lost).ToHaveCountAsync(1);
        await zones.Nth(1).FillAsync("not a zone");
        await Expect(lost).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Install", Exact = true }).ClickAsync();
        await Expect(page.Locator("[data-field='zones[1].name']").GetByRole(AriaRole.Alert)).Not.ToContainTextAsync("empty");

        await page.GetByLabel("DHCP").CheckAsync();
        await page.GetByLabel("Kea's Dhcp4 document").FillAsync("{ \"subnet4\": [] }");
        // A product that was restarted knows nothing of the page.
        var circuits = Product.Services.GetRequiredService<IOptions<CircuitOptions>>().Value;
        var retention = circuits.DisconnectedCircuitRetentionPeriod;
        circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMilliseconds(1);
        var loadedAnew = page.WaitForRequestAsync(r => r.IsNavigationRequest, new() { Timeout = (float)RunningProduct.Patience.TotalMilliseconds });
        await connection.CloseAsync();
        await zones.Nth(1).FillAsync("example.net");
        await loadedAnew;
        circuits.DisconnectedCircuitRetentionPeriod = retention;

        await Expect(page.GetByLabel("Kea's Dhcp4 document")).ToHaveValueAsync("{ \"subnet4\": [] }");
        await Expect(zones).ToHaveCountAsync(2);
        await Expect(zones.First).ToHaveValueAsync("example.org");
        await Expect(zones.Nth(1)).ToHaveValueAsync("example.net");
        await page.ReloadAsync();
        await Expect(zones.First).ToHaveValueAsync("");

        // The browser writes down that it lost the connection, as it was to.
        Assert.All(Product.Pages.Complaints, c => Assert.Matches("(?i)connection|socket|circuit", c));
        Product.Pages.Complaints.Clear();
    }

    private static int ClosedPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
