using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Servers on whose hosts the product has no login, against the stand-in.</summary>
public sealed class ManualServerTests : AgainstStandIn
{
    private const string Token = "ms_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    private const string Enrolment = $$"""{"line":"python3 -c 'exec()'","token":"{{Token}}","expiresAt":"2026-01-02T00:00:00Z"}""";
    private const string Server = """{"id":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b","name":"ns1","installation":"manual","address":null,"sshPort":null,"state":"new","components":[],"heartbeat":null,"createdAt":"2026-01-01T00:00:00Z"}""";
    private ScriptedRun run = null!;

    protected override void Prepare()
    {
        base.Prepare();
        run = Product.Run(new ScriptedRun("install dns on ns1 by hand", "Wait until the line is run on the host"));
        Product.On("POST", "/api/v2/pvservers/ns1/install", (_, _) => (202, $$"""{"runId":"{{run.Id}}","enrolment":{{Enrolment}}}"""));
        Product.On("POST", "/api/v2/pvservers", (_, _) => (201, Server));
        Product.On("GET", "/api/v2/pvservers", $$"""{"items":[{{Server}}],"next":null}""");
        Product.On("GET", "/api/v2/pvservers/ns1/enrolment", """{"line":"python3 -c 'exec()'","token":null,"expiresAt":null}""");
        Product.On("POST", "/api/v2/pvservers/ns1/enrolment", Enrolment);
    }

    [Fact]
    public async Task A_server_is_added_without_a_login_and_shown_so()
    {
        var end = await Msctl.Run("servers", "add", "ns1", "--manual");
        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal("""{"name":"ns1","installation":"manual"}""", JsonSerializer.Serialize(JsonDocument.Parse(Product.Requests.Single(r => r.Method == "POST").Body)));
        Assert.Contains("by hand: the product has no login on the host", end.Out, StringComparison.Ordinal);
        Assert.Contains("Added. Next: msctl servers install ns1", end.Error, StringComparison.Ordinal);
        Product.On("GET", "/api/v2/pvservers/ns1/enrolment", """{"type":"no-api-address","title":"Not possible now","status":409,"detail":"Nobody has said where the host of ns1 reaches the product."}""", 409);
        Assert.Contains("Next: say where its host reaches the product: msctl servers edit ns1 --api-address https://…, then msctl servers install ns1", (await Msctl.Run("servers", "add", "ns1", "--manual")).Error, StringComparison.Ordinal);
        Assert.Matches(@"ns1 +new .*by hand", (await Msctl.Run("servers", "list")).Out);

        var refused = await Msctl.Run("servers", "add", "ns1", "--manual", "--password-file", Msctl.File("ssh", "s3cret"));
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("so it takes no password and no key", refused.Error, StringComparison.Ordinal);
        Assert.Contains("For a host on which the product shall have no login: --manual", (await Msctl.Run("servers", "add", "ns1")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_install_shows_the_line_and_no_pipe_gets_the_token()
    {
        var piped = await Msctl.Run("servers", "install", "ns1", "--zone", $"example.org={Msctl.File("zone", "x\n")}", "--no-watch");
        Assert.True(piped.ExitCode == 0, piped.ToString());
        Assert.Contains("  python3 -c 'exec()'\n", piped.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, piped.ToString(), StringComparison.Ordinal);
        Assert.Contains("msctl servers enrol ns1 --renew --enrolment-token-file FILE", piped.Error, StringComparison.Ordinal);

        Product.On("POST", "/api/v2/pvservers/ns1/drift/reapply", (_, _) => (202, $$"""{"runId":"{{run.Id}}","enrolment":{{Enrolment}}}"""));
        Assert.Contains("Run this on the host of ns1, as root", (await Msctl.Run("drift", "reapply", "ns1", "--no-watch")).Error, StringComparison.Ordinal);

        await using var seen = Pty.Start(Msctl, 200, 40, "servers", "install", "ns1", "--zone", $"example.org={Msctl.File("zone", "x")}", "--no-watch");
        Assert.Contains(Token, (await seen.End()).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_line_of_a_run_behind_another_one_is_shown_when_its_turn_has_come()
    {
        const string ahead = """{"id":"01a1f0d2-0000-7000-8000-000000000001","kind":"install-manually","title":"install dns on ns1 by hand","state":"waiting","requestedBy":"ada","createdAt":"2026-01-01T00:00:00Z"}""";
        Product.On("POST", "/api/v2/pvservers/ns1/uninstall", (_, _) => (202, $$"""{"runId":"{{run.Id}}","enrolment":{"line":"python3 -c 'exec()'","token":null,"expiresAt":null},"ahead":[{{ahead}}]}"""));
        await using var watch = Msctl.Start(["servers", "uninstall", "ns1", "--yes"]);
        await watch.Shows("install dns on ns1 by hand");
        Assert.DoesNotContain(Product.Requests, r => r.Path.EndsWith("/enrolment", StringComparison.Ordinal));
        run.AwaitsSignal(1, "check-in");
        await Until(() => Product.Requests.Any(r => r.Path.EndsWith("/enrolment", StringComparison.Ordinal)));
        run.Done(1).Become("succeeded");
        var end = await watch.End();

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Matches("^It waits for run 01a1f0d2(.|\n)*Nothing is to be run on the host before its turn has come\\.\nRun this on the host of ns1, as root(.|\n)*python3 -c 'exec\\(\\)'", end.Error);

        var begun = await Msctl.Run("servers", "uninstall", "ns1", "--yes", "--no-watch");
        Assert.Contains("When its turn has come, what is to be run on the host is shown by: msctl servers enrol ns1\n", begun.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("python3", begun.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_goes_into_a_file_for_its_owner_alone()
    {
        var file = Path.Combine(Msctl.Home, "ns1.token");
        var end = await Msctl.Run("servers", "install", "ns1", "--zone", $"example.org={Msctl.File("zone", "x\n")}", "--enrolment-token-file", file, "--no-watch");
        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(Token + "\n", await File.ReadAllTextAsync(file));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.DoesNotContain(Token, end.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_the_enrolment_once_watching_or_not()
    {
        run.Become("succeeded");
        var watched = await Msctl.Run("servers", "install", "ns1", "--zone", $"example.org={Msctl.File("zone", "x\n")}", "-o", "json");
        var first = JsonDocument.Parse(watched.Lines[0]).RootElement;
        Assert.Equal(("enrolment", Token), (first.GetProperty("event").GetString(), first.GetProperty("data").GetProperty("token").GetString()));
        var begun = await Msctl.Run("servers", "install", "ns1", "--zone", $"example.org={Msctl.File("zone", "x\n")}", "-o", "json", "--no-watch");
        Assert.Equal(Token, JsonDocument.Parse(begun.Out).RootElement.GetProperty("enrolment").GetProperty("token").GetString());
    }

    [Fact]
    public async Task Enrol_shows_the_line_alone_and_renews_the_token_when_told()
    {
        var shown = await Msctl.Run("servers", "enrol", "ns1");
        Assert.Equal("python3 -c 'exec()'\n", shown.Out);
        Assert.DoesNotContain(Product.Requests, r => r.Method == "POST");

        var file = Path.Combine(Msctl.Home, "token2");
        var renewed = await Msctl.Run("servers", "enrol", "ns1", "--renew", "--valid", "2h", "--enrolment-token-file", file);
        Assert.True(renewed.ExitCode == 0, renewed.ToString());
        Assert.Equal("""{"validMinutes":120}""", JsonSerializer.Serialize(JsonDocument.Parse(Product.Requests.Single(r => r.Method == "POST").Body)));
        Assert.Equal(Token + "\n", await File.ReadAllTextAsync(file));
        Assert.Equal(2, (await Msctl.Run("servers", "enrol", "ns1", "--renew", "--valid", "soon")).ExitCode);
        Assert.Equal(2, (await Msctl.Run("servers", "enrol", "ns1", "--valid", "2h")).ExitCode);
    }

    [Fact]
    public async Task A_server_at_whose_host_nobody_could_look_says_so_and_why()
    {
        Product.On("GET", "/api/v2/pvservers/ns1", Server.Replace("\"state\"", "\"driftProblem\":\"The host of ns1 has never said what runs there.\",\"state\"", StringComparison.Ordinal));
        Product.On("GET", "/api/v2/drift", """{"items":[{"server":"ns1","checkedAt":"2026-01-01T00:00:00Z","problem":"The host of ns1 has never said what runs there.","findings":[]}]}""");
        Assert.Contains("not looked at: The host of ns1 has never said what runs there.", (await Msctl.Run("servers", "show", "ns1")).Out, StringComparison.Ordinal);
        Assert.Contains("Could not be looked at: The host of ns1 has never said what runs there.", (await Msctl.Run("drift", "list")).Out, StringComparison.Ordinal);
    }
}
