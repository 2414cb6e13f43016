using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Servers, against the stand-in.</summary>
public sealed class ServersTests : AgainstStandIn
{
    private const string Fingerprint = "SHA256:9QJ0u7H2tJtH1cB8rVb3oXo3oS1m8uY0X5W3bJc1d2E";

    protected override void Prepare()
    {
        base.Prepare();
        Product.On("POST", "/api/v2/pvservers/probe", $$"""{"algorithm":"ssh-ed25519","fingerprint":"{{Fingerprint}}"}""")
            .On("POST", "/api/v2/pvservers", (_, _) => (201, Server("ns1", "new")))
            .On("GET", "/api/v2/pvservers/ns1", Server("ns1", "running"));
    }

    [Fact]
    public async Task What_may_be_left_out_can_be_left_out_and_a_filter_that_matches_nothing_does_not_say_that_there_are_no_servers()
    {
        Product.On("GET", "/api/v2/drift", """{"items":[]}""");
        Product.On("GET", "/api/v2/pvservers", """{"items":[],"next":null}""");

        var drift = await Msctl.Run("drift", "list");
        Assert.True(drift.ExitCode == 0, drift.ToString());
        Assert.Contains("No server matches.", (await Msctl.Run("servers", "list", "--filter", "x")) is var filtered ? filtered.Out + filtered.Error : "", StringComparison.Ordinal);
        Assert.Contains("No servers yet.", (await Msctl.Run("servers", "list")) is var all ? all.Out + all.Error : "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_JSON_as_output_a_refusal_is_a_line_of_JSON_on_standard_error()
    {
        Product.On("GET", "/api/v2/pvservers/no-such", (_, _) => (404, """{"type":"server-not-found","title":"No such server","detail":"There is no server no-such.","status":404}"""));

        var end = await Msctl.Run("servers", "show", "no-such", "-o", "json");

        Assert.Equal((1, ""), (end.ExitCode, end.Out));
        var told = System.Text.Json.JsonDocument.Parse(end.Error).RootElement;
        Assert.Equal(("No such server: There is no server no-such.", "server-not-found"), (told.GetProperty("error").GetString(), told.GetProperty("type").GetString()));
        Assert.Equal("What there is: msctl servers list", told.GetProperty("advice").GetString());
    }

    [Fact]
    public async Task In_a_pipe_a_host_key_must_be_accepted_by_an_option()
    {
        var end = await Add();
        Assert.Equal(2, end.ExitCode);
        Assert.Contains($"--accept-host-key {Fingerprint}", end.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Product.Requests, r => r.Path == "/api/v2/pvservers");
    }

    [Fact]
    public async Task Another_host_key_than_expected_stops_with_both_fingerprints_shown()
    {
        var end = await Add("--accept-host-key", "SHA256:other");
        Assert.Equal(2, end.ExitCode);
        Assert.Contains("expected: SHA256:other", end.Error, StringComparison.Ordinal);
        Assert.Contains($"shown:    {Fingerprint}", end.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Product.Requests, r => r.Path == "/api/v2/pvservers");
    }

    [Theory]
    [InlineData("shown")]
    [InlineData(Fingerprint)]
    public async Task An_accepted_key_is_pinned_and_the_password_goes_in_the_body_alone(string accept)
    {
        var end = await Add("--accept-host-key", accept, "-o", "json");
        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(Server("ns1", "new") + "\n", end.Out);
        using var body = JsonDocument.Parse(Product.Requests.Last().Body);
        Assert.Equal(Fingerprint, body.RootElement.GetProperty("hostKey").GetString());
        Assert.Equal("s3cret", body.RootElement.GetProperty("password").GetString());
        Assert.Equal("root", body.RootElement.GetProperty("sshUser").GetString());
        Assert.False(body.RootElement.TryGetProperty("privateKey", out _));
        Assert.DoesNotContain("s3cret", end.Out + end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_the_fingerprint_is_shown_and_asked()
    {
        await using var no = Pty.Start(Msctl, 120, 24, "servers", "add", "ns1", "--address", "192.0.2.10", "--password-file", Msctl.File("ssh", "s3cret"));
        await no.Shows("[y/N]");
        await no.Input.WriteAsync("\r");
        await no.Input.FlushAsync();
        var refused = await no.End();
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains($"(ssh-ed25519): {Fingerprint}", refused.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(Product.Requests, r => r.Path == "/api/v2/pvservers");

        await using var yes = Pty.Start(Msctl, 120, 24, "servers", "add", "ns1", "--address", "192.0.2.10", "--password-file", Msctl.File("ssh", "s3cret"));
        await yes.Shows("[y/N]");
        await yes.Input.WriteAsync("y\r");
        await yes.Input.FlushAsync();
        Assert.Equal(0, (await yes.End()).ExitCode);
    }

    [Fact]
    public async Task The_accounts_password_stands_before_the_command_and_the_hosts_after_it()
    {
        Msctl.Environment.Remove("MSCTL_TOKEN_FILE");
        var end = await Msctl.Run(
            "--user", "op", "--password-file", Msctl.File("mine", "my-own"), "servers", "add", "ns1", "--address", "192.0.2.10", "--password-file", Msctl.File("ssh", "s3cret"), "--accept-host-key", "shown");
        Assert.True(end.ExitCode == 0, end.ToString());
        var sent = Product.Requests.Last();
        Assert.Equal("op:my-own", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(sent.Authorization["Basic ".Length..])));
        Assert.Contains("\"password\":\"s3cret\"", sent.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_shows_every_field_what_was_tried_and_ends_with_1()
    {
        Product.On("POST", "/api/v2/pvservers", """{"type":"invalid-input","title":"The input breaks a rule","status":400,"detail":"Nothing was changed.","errors":{"name":["must be one line","must have at most 63 characters"],"sshPort":["must be 1 to 65535"]}}""", 400);
        var end = await Add("--accept-host-key", "shown");
        Assert.Equal(1, end.ExitCode);
        Assert.Equal("", end.Out);
        Assert.Contains("name: must be one line", end.Error, StringComparison.Ordinal);
        Assert.Contains("name: must have at most 63 characters", end.Error, StringComparison.Ordinal);
        Assert.Contains("sshPort: must be 1 to 65535", end.Error, StringComparison.Ordinal);
        Assert.Contains($"tried: POST {Product.Address}api/v2/pvservers", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_is_aligned_whole_and_without_control_codes_in_a_pipe()
    {
        Product.On("GET", "/api/v2/pvservers", (context, _) => context.Request.Query["after"].Count == 0
            ? (200, $$"""{"items":[{{Server("ns1", "running")}}],"next":"ns1"}""")
            : (200, $$"""{"items":[{{Server("a-name-that-is-rather-long-but-must-stay-whole", "unreachable")}}],"next":null}"""));
        var end = await Msctl.Run("servers", "list");
        Assert.Equal(0, end.ExitCode);
        Assert.Equal(3, end.Lines.Count);
        var state = end.Lines[0].IndexOf("STATE", StringComparison.Ordinal);
        Assert.Equal("running", end.Lines[1][state..].Split(' ')[0]);
        Assert.Equal("unreachable", end.Lines[2][state..].Split(' ')[0]);
        Assert.StartsWith("a-name-that-is-rather-long-but-must-stay-whole ", end.Lines[2], StringComparison.Ordinal);
        Assert.DoesNotContain('\e', end.Out);

        using var all = JsonDocument.Parse((await Msctl.Run("servers", "list", "-o", "json")).Out);
        Assert.Equal(2, all.RootElement.GetProperty("items").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, all.RootElement.GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task What_a_host_wrote_cannot_move_the_cursor()
    {
        Product.On("GET", "/api/v2/pvservers/ns1", Server("ns1", "running").Replace("192.0.2.10", "\\u001b]0;owned\\u0007\\u001b[2J[red]x\\u202e", StringComparison.Ordinal));
        var end = await Msctl.Run("servers", "show", "ns1");
        Assert.Equal(0, end.ExitCode);
        Assert.Contains(@"\x1b]0;owned\x07\x1b[2J[red]x\u202e", end.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', end.Out);
        Assert.DoesNotContain('\u202e', end.Out);
    }

    [Fact]
    public async Task A_test_tells_found_needed_and_the_whole_fix_and_ends_with_1_when_a_check_failed()
    {
        Product.On("POST", "/api/v2/pvservers/ns1/test", """{"ok":false,"checks":[{"name":"python","ok":true,"found":"3.11.2","needed":"3.6 or newer","fix":null},{"name":"port 53","ok":false,"found":"systemd-resolved","needed":"free","fix":"systemctl disable --now systemd-resolved"}]}""");
        var end = await Msctl.Run("servers", "test", "ns1");
        Assert.Equal(1, end.ExitCode);
        Assert.Contains("python   ok      3.11.2            3.6 or newer", end.Out, StringComparison.Ordinal);
        Assert.Contains("  systemctl disable --now systemd-resolved\n", end.Out, StringComparison.Ordinal);
        Assert.Contains("1 check failed.", end.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_edit_sends_what_changes_alone_and_a_new_key_only_when_it_was_accepted()
    {
        Product.On("GET", "/api/v2/pvservers/ns1", Server("ns1", "running").Replace(Fingerprint, "SHA256:former", StringComparison.Ordinal));
        Product.On("PATCH", "/api/v2/pvservers/ns1", Server("ns1", "running"));
        Assert.Equal(2, (await Msctl.Run("servers", "edit", "ns1")).ExitCode);
        var unasked = await Msctl.Run("servers", "edit", "ns1", "--ssh-user", "ops");
        Assert.Equal(2, unasked.ExitCode);
        Assert.Contains("Accepted until now: SHA256:former", unasked.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Product.Requests, r => r.Method == "PATCH");

        Assert.Equal(0, (await Msctl.Run("servers", "edit", "ns1", "--name", "ns2", "--reason", "moved")).ExitCode);
        Assert.Equal(0, (await Msctl.Run("servers", "edit", "ns1", "--password-file", Msctl.File("new", "n3w\n"), "--accept-host-key", Fingerprint)).ExitCode);
        Assert.Equal(
            ["""{"name":"ns2","reason":"moved"}""", $$"""{"password":"n3w","hostKey":"{{Fingerprint}}"}"""],
            Product.Requests.Where(r => r.Method == "PATCH").Select(r => r.Body));
    }

    [Fact]
    public async Task Removing_asks_first_and_in_a_pipe_needs_yes()
    {
        Product.OnRaw("DELETE", "/api/v2/pvservers/ns1", context => { context.Response.StatusCode = 204; return Task.CompletedTask; });
        Assert.Equal(2, (await Msctl.Run("servers", "remove", "ns1")).ExitCode);
        Assert.DoesNotContain(Product.Requests, r => r.Method == "DELETE");
        Assert.Equal(0, (await Msctl.Run("servers", "remove", "ns1", "--force", "--yes")).ExitCode);
        Assert.Equal("?force=true", Product.Requests.Single(r => r.Method == "DELETE").Query);
    }

    private Task<Outcome> Add(params string[] more) =>
        Msctl.Run(["servers", "add", "ns1", "--address", "192.0.2.10", "--password-file", Msctl.File("ssh", "s3cret\n"), .. more]);

    private static string Server(string name, string state) => $$"""{"id":"0195f2d0-3c6f-7b1e-9a51-6c1f0e6f4a2b","name":"{{name}}","address":"192.0.2.10","sshPort":22,"sshUser":"root","authentication":"password","hostKey":{"algorithm":"ssh-ed25519","fingerprint":"{{Fingerprint}}"},"apiAddress":null,"state":"{{state}}","components":[{"name":"dns","version":"3.2.6","state":"running"}],"heartbeat":{"due":4,"received":3,"status":"degraded","lastAt":"2026-01-01T00:00:00Z"},"createdAt":"2026-01-01T00:00:00Z","lastRunId":null}""";
}
