using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Lab;
using ManagedServers.Tests;

namespace ManagedServers.Cli.Tests.RealProduct;

/// <summary>The essential way of an operator, with the real product, its private PostgreSQL and a host of the lab.</summary>
public sealed class RealProductTests : IAsyncLifetime
{
    private const string Zone =
        """
        $TTL 300
        @    SOA ns1.example.org. hostmaster.example.org. 1 3600 900 604800 300
        @    NS  ns1
        ns1  A   192.0.2.1
        www  A   192.0.2.2

        """;

    private readonly Msctl msctl = new() { Patience = TimeSpan.FromMinutes(4) };
    private LabHost host = null!;
    private ProductProcess product = null!;

    public async Task InitializeAsync()
    {
        host = await LabHost.Start();
        product = await ProductProcess.Start(IPAddress.Parse(host.Gateway));
    }

    public async Task DisposeAsync()
    {
        if (product is not null)
        {
            await product.DisposeAsync();
        }

        await host.DisposeAsync();
        msctl.Dispose();
    }

    [Fact]
    public async Task From_login_to_logout_with_the_product_killed_in_the_middle_of_an_install()
    {
        await SignIn();
        await Refusals();
        await AddTheHost();
        await InstallThroughAKill();
        await SeeWhatItDoes();
        await HaveItBeatFaster();
        await ChangeWhatItServes();
        await PlanWhatIsStored();
        await SeeAndEndTokens();
        await Leave();
    }

    private async Task SignIn()
    {
        var fingerprint = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(product.AuthorityFile)).GetCertHashString(HashAlgorithmName.SHA256);
        await Good("login", $"{product.Address}", "--user", "admin", "--password-file", Path.Combine(product.DataFolder, "admin-password"), "--ca-fingerprint", fingerprint);
        Assert.StartsWith("admin (Global Admin) at ", (await Good("whoami")).Out, StringComparison.Ordinal);
        Assert.Equal("""{"items":[],"next":null}""", (await Good("servers", "list", "-o", "json")).Out.Trim());
        Assert.Equal("No runs.\n", (await Good("runs", "list", "--state", "paused")).Error);
    }

    private async Task Refusals()
    {
        await Bad(1, "No such server", "servers", "show", "ns1");
        await Bad(1, "No such run", "runs", "show", $"{Guid.NewGuid()}");
        await Bad(1, "does not resolve", "servers", "add", "ns1", "--address", "no-such-host.invalid", "--password-file", Password(), "--accept-host-key", "shown");
        await Bad(2, "--accept-host-key SHA256:", "servers", "add", "ns1", "--address", host.Address, "--password-file", Password());
        await Bad(1, "field: password", "servers", "add", "ns1", "--address", host.Address, "--password-file", msctl.File("wrong", "wrong"), "--accept-host-key", "shown");
        await Bad(1, "name: must be one line", "servers", "add", "two\nlines", "--address", host.Address, "--password-file", Password(), "--accept-host-key", "shown");
        Assert.Equal("", (await Good("servers", "list")).Out);
    }

    private async Task AddTheHost()
    {
        var added = await Good("servers", "add", "ns1", "--address", host.Address, "--password-file", Password(), "--accept-host-key", "shown", "-o", "json");
        Assert.DoesNotContain(host.RootPassword, added.ToString(), StringComparison.Ordinal);
        Assert.Equal("new", JsonDocument.Parse(added.Out).RootElement.GetProperty("state").GetString());
        Assert.Contains("The host can be managed.", (await Good("servers", "test", "ns1")).Out, StringComparison.Ordinal);
    }

    private async Task InstallThroughAKill()
    {
        await Good("commands", "add", "wait", "--text-file", msctl.File("wait.sh", "echo waiting; while [ ! -e /root/go ]; do sleep 0.1; done\n"), "--uses", "pre-install");
        await Good("commands", "edit", "wait", "--repeatable", "yes");
        Assert.Contains("Repeatable  yes", (await Good("commands", "show", "wait")).Out, StringComparison.Ordinal);
        Assert.Contains("free port 53", (await Good("commands", "list")).Out, StringComparison.Ordinal);
        Assert.Equal("Before  wait\nAfter   none\n", (await Good("servers", "commands", "ns1", "--pre", "wait")).Out);
        await using var install = msctl.Start(["servers", "install", "ns1", "--zone", $"example.org={msctl.File("zone", Zone)}"]);
        await install.Shows("waiting");
        await product.Kill();
        await product.Launch();
        await host.Run("touch /root/go");
        var end = await install.End();

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("connection lost, trying again…\n", end.Error);
        Assert.Contains("Succeeded after ", end.Lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain('\e', end.Out);
        var told = end.Lines.Where(l => l.Contains("]   ", StringComparison.Ordinal) is false).Select(Text.Timeless).ToList();
        Assert.Equal(told.Distinct(), told);
    }

    private async Task SeeWhatItDoes()
    {
        Assert.Matches(@"ns1 +running +\d/\d (starting|healthy)", (await Good("servers", "list")).Out);
        var run = JsonDocument.Parse((await Good("runs", "list", "--server", "ns1", "--state", "succeeded", "-o", "json")).Out).RootElement.GetProperty("items")[0].GetProperty("id").GetString()!;
        Assert.Contains("waiting", (await Good("runs", "log", run[^10..])).Out, StringComparison.Ordinal);
        Assert.Contains("succeeded", (await Good("runs", "show", run)).Out, StringComparison.Ordinal);
        await Bad(1, "only one that is paused, failed or cancelled can be retried", "runs", "retry", run);
        Assert.Contains(" beats came, ", (await Good("heartbeats", "ns1")).Out, StringComparison.Ordinal);
        Assert.Contains("Coverage: ", (await Good("hits", "ns1", "--from", "1h", "--sort", "last")).Out, StringComparison.Ordinal);
    }

    private async Task HaveItBeatFaster()
    {
        await Bad(1, "healthyCount: does not fit: 4 beats, one every 300 s", "settings", "set", "monitoring", "heartbeatIntervalSeconds=300");
        await Bad(1, "There are: alerts, monitoring, monitoring-services", "settings", "show", "moon");
        await Bad(2, "This is not KEY=VALUE", "settings", "set", "monitoring", "soon");
        Assert.Matches("heartbeatIntervalSeconds +5\n", (await Good("settings", "set", "monitoring", "heartbeatIntervalSeconds=5", "--version-is", "0")).Out);
        await Bad(1, "version 1 now, changed by admin", "settings", "set", "monitoring", "heartbeatIntervalSeconds=6", "--version-is", "0");
        await Good("settings", "set", "monitoring-services", "disk.enabled=false");
        Assert.Matches("\n1 +.* +admin +heartbeatIntervalSeconds 30 -> 5\n0 +never +the product", (await Good("settings", "history", "monitoring")).Out);
        Assert.Matches("\nmonitoring +1 ", (await Good("settings", "list")).Out);

        // Told with the answer to the next beat, and without an install.
        await ProductProcess.Until(async () =>
        {
            var beats = JsonDocument.Parse((await Good("heartbeats", "ns1", "--limit", "2", "-o", "json")).Out).RootElement.GetProperty("items");
            return beats.GetArrayLength() == 2 && beats[0].GetProperty("sentAt").GetDateTimeOffset() - beats[1].GetProperty("sentAt").GetDateTimeOffset() < TimeSpan.FromSeconds(9) && beats[0].GetProperty("disks").ValueKind == JsonValueKind.Null;
        }, "the host beats every five seconds and tells nothing of its disks");
    }

    private async Task ChangeWhatItServes()
    {
        Assert.Equal(Zone, (await Good("config", "show", "ns1", "--zone", "example.org")).Out);
        var changed = Zone.Replace(". 1 3600", ". 2 3600", StringComparison.Ordinal).Replace("192.0.2.2", "192.0.2.3", StringComparison.Ordinal);
        Assert.Contains("Succeeded after ", (await Good("config", "apply", "ns1", "--zone", $"example.org={msctl.File("zone2", changed)}", "-m", "a new web server")).Lines[^1], StringComparison.Ordinal);
        Assert.Equal(["-@    SOA ns1.example.org. hostmaster.example.org. 1 3600 900 604800 300", "-www  A   192.0.2.2"],
            (await Good("config", "diff", "ns1", "dns", "1", "2")).Lines.Where(l => l.StartsWith('-') && !l.StartsWith("---", StringComparison.Ordinal)));
        await Bad(1, "the change was based on version 1", "config", "apply", "ns1", "--zone", $"example.org={msctl.File("zone1", Zone)}", "--based-on", "1");
        await Good("config", "restore", "ns1", "dns", "1");
        Assert.Matches(@"\n +3  served +restore +admin .* as in version 1\n +2  was served +apply +admin .* a new web server\n", (await Good("config", "versions", "ns1", "dns")).Out);
    }

    private async Task PlanWhatIsStored()
    {
        var before = (await Good("servers", "show", "ns1", "-o", "json")).Out;
        var renamed = (await Good("servers", "edit", "ns1", "--name", "ns9", "--plan")).Out;
        Assert.Contains("  name: 'ns1' -> 'ns9'\n", renamed, StringComparison.Ordinal);
        Assert.Contains("The server that it concerns\n  ns1\n    dns goes on without interruption (1 zone)\n      served   example.org\n", renamed, StringComparison.Ordinal);
        Assert.EndsWith("1 thing would be stored otherwise, and nothing changes on any host. Nothing was done.\n", renamed, StringComparison.Ordinal);
        var login = (await Good("servers", "edit", "ns1", "--password-file", msctl.File("new", "never-sent"), "--plan")).Out;
        Assert.Matches(@"\n  credential: now a password\n\nBefore anything is kept, and not for this plan: The product logs in on ns1 \(.*:22\) as root with the password", login);
        await Bad(1, "address: is that of the server 'ns1' already", "servers", "add", "ns2", "--address", host.Address, "--password-file", Password(), "--accept-host-key", "shown", "--plan");
        Assert.Contains("Runs under way go on with the text", (await Good("commands", "edit", "wait", "--text-file", msctl.File("wait2.sh", "true\n"), "--plan")).Out, StringComparison.Ordinal);
        await Bad(1, "is run for ns1", "commands", "remove", "wait", "--plan");
        Assert.Contains("  pre-commands: 'wait' -> none\n", (await Good("servers", "commands", "ns1", "--no-pre", "--plan")).Out, StringComparison.Ordinal);
        Assert.Contains("(password, its key is not known yet)", (await Good("routes", "add", "dmz", "--hop", $"ops@192.0.2.1,password-file={Password()}", "--plan")).Out, StringComparison.Ordinal);
        Assert.Contains("dns and monitor on ns1 would go on, without anybody watching.", (await Good("servers", "remove", "ns1", "--force", "--plan")).Out, StringComparison.Ordinal);

        Assert.Equal(Steady(before), Steady((await Good("servers", "show", "ns1", "-o", "json")).Out));
        Assert.Equal("Before  wait\nAfter   none\n", (await Good("servers", "commands", "ns1")).Out);
        Assert.Contains("waiting", (await Good("commands", "show", "wait")).Out, StringComparison.Ordinal);
        Assert.Equal("""{"items":[],"next":null}""", (await Good("routes", "list", "-o", "json")).Out.Trim());

        // Its heartbeats go on meanwhile.
        static string Steady(string server) => JsonDocument.Parse(server).RootElement is var s ? $"{s.GetProperty("name")} {s.GetProperty("address")} {s.GetProperty("authentication")} {s.GetProperty("createdAt")}" : "";
    }

    private async Task SeeAndEndTokens()
    {
        var tokens = JsonDocument.Parse((await Good("tokens", "list", "-o", "json")).Out).RootElement.GetProperty("items");
        var own = Assert.Single(tokens.EnumerateArray());
        Assert.Equal((true, 90.0), (own.GetProperty("current").GetBoolean(), Math.Round((own.GetProperty("expiresAt").GetDateTimeOffset() - own.GetProperty("createdAt").GetDateTimeOffset()).TotalDays, 1)));
        Assert.Matches(@"msctl@.* \(this one\) +admin +", (await Good("tokens", "list", "--all")).Out);

        using var admin = product.Admin();
        using var made = await admin.PostAsync("/api/v2/tokens", new StringContent("""{"name":"robot","neverExpires":true}""", System.Text.Encoding.UTF8, "application/json"));
        var id = JsonDocument.Parse(await made.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString()!;
        Assert.Matches($@"{id}  robot +admin .* never\n", (await Good("tokens", "list")).Out);
        Assert.Contains("token: 'robot' of admin, good for ever -> gone", (await Good("tokens", "revoke", id, "--plan")).Out, StringComparison.Ordinal);
        Assert.Equal("Revoked.\n", (await Good("tokens", "revoke", id)).Error);
        await Bad(1, "There is no token", "tokens", "revoke", id);
    }

    private async Task Leave()
    {
        await Bad(1, "To remove it all the same: --force", "servers", "remove", "ns1", "--yes");
        await Good("servers", "remove", "ns1", "--yes", "--force");
        await Good("logout");
        Assert.Equal(3, (await msctl.Run("whoami")).ExitCode);
    }

    private string Password() => msctl.File("password", host.RootPassword + "\n");

    private async Task<Outcome> Good(params string[] arguments)
    {
        var end = await msctl.Run(arguments);
        Assert.True(end.ExitCode == 0, $"msctl {string.Join(' ', arguments)}: {end}");
        return end;
    }

    private async Task Bad(int exitCode, string words, params string[] arguments)
    {
        var end = await msctl.Run(arguments);
        Assert.True(end.ExitCode == exitCode && end.Error.Contains(words, StringComparison.Ordinal), $"msctl {string.Join(' ', arguments)}: {end}");
        Assert.Equal("", end.Out);
    }
}
