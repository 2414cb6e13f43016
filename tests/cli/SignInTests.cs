using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;
using Microsoft.AspNetCore.Http;

namespace ManagedServers.Cli.Tests;

/// <summary>Signing in and out; the stand-in gives out tokens.</summary>
public sealed class SignInTests : AgainstStandIn
{
    private const string Password = "correct horse battery";

    protected override void Prepare()
    {
        Product.On("POST", "/api/v2/tokens", """{"id":"0195f2d0-0000-7000-8000-000000000001","token":"ms_secret","expiresAt":"2031-01-01T00:00:00+00:00"}""")
            .On("GET", "/api/v2/me", """{"name":"admin","groups":["Global Admin"]}""")
            .On("GET", "/api/v2/tokens", """{"items":[{"id":"0195f2d0-0000-7000-8000-000000000001","name":"here","account":"admin","createdAt":"2026-01-01T00:00:00Z","expiresAt":null,"current":true},{"id":"0195f2d0-0000-7000-8000-000000000002","name":"there","account":"admin","createdAt":"2026-01-01T00:00:00Z","expiresAt":null,"current":false}],"next":null}""")
            .OnRaw("DELETE", "/api/v2/tokens/0195f2d0-0000-7000-8000-000000000001", context => { context.Response.StatusCode = 204; return Task.CompletedTask; })
            .OnRaw("DELETE", "/api/v2/tokens/0195f2d0-0000-7000-8000-000000000002", context => { context.Response.StatusCode = 204; return Task.CompletedTask; })
            .OnRaw("DELETE", "/api/v2/tokens/current", context => { context.Response.StatusCode = 204; return Task.CompletedTask; });
    }

    [Fact]
    public async Task Login_makes_a_token_that_the_next_commands_use_and_logout_revokes_it()
    {
        var login = await Msctl.Run(["login", "--url", $"{Product.Address}", "--user", "admin", "--ca-fingerprint", Product.Certificates.Fingerprint, "--password-file", "-"], Password + "\n");
        Assert.True(login.ExitCode == 0, login.ToString());
        Assert.Equal("", login.Out);
        Assert.Contains("Signed in as admin", login.Error, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Msctl.Config));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(Msctl.Config)!));

        var me = await Msctl.Run("whoami");
        Assert.Equal($"admin (Global Admin) at {Product.Address.GetLeftPart(UriPartial.Authority)}\n", me.Out);
        Assert.Equal("Bearer ms_secret", Product.Requests.Last(r => r.Path == "/api/v2/me").Authorization);

        var logout = await Msctl.Run("logout");
        Assert.Equal(0, logout.ExitCode);
        Assert.Equal("Bearer ms_secret", Product.Requests.Single(r => r.Method == "DELETE").Authorization);
        Assert.DoesNotContain("ms_secret", await File.ReadAllTextAsync(Msctl.Config), StringComparison.Ordinal);
        Assert.Equal(3, (await Msctl.Run("whoami")).ExitCode);
    }

    [Theory]
    [InlineData("7", """{"name":"x","expiresInDays":7}""")]
    [InlineData("never", """{"name":"x","neverExpires":true}""")]
    public async Task How_long_a_sign_in_lasts_can_be_said(string expires, string sent)
    {
        string[] login = ["login", "--url", $"{Product.Address}", "--user", "admin", "--ca-fingerprint", Product.Certificates.Fingerprint, "--password-file", "-", "--token-name", "x", "--expires"];
        Assert.Equal(2, (await Msctl.Run([.. login, "later"], Password)).ExitCode);
        Assert.Equal(0, (await Msctl.Run([.. login, expires], Password)).ExitCode);
        Assert.Equal(sent, Product.Requests.Single(r => r.Path == "/api/v2/tokens").Body);
    }

    [Fact]
    public async Task A_login_after_too_many_wrong_passwords_says_when_to_try_again()
    {
        Product.On("POST", "/api/v2/tokens", (_, _) => (429, """{"type":"too-many-sign-ins","title":"Too many wrong passwords","status":429,"detail":"Passwords for this name are not looked at for now. Try again in 42 s, at 12:34:56 UTC."}"""));
        var login = await Msctl.Run(["login", "--url", $"{Product.Address}", "--user", "admin", "--ca-fingerprint", Product.Certificates.Fingerprint, "--password-file", "-"], Password + "\n");
        Assert.NotEqual(0, login.ExitCode);
        Assert.Contains("Too many wrong passwords: Passwords for this name are not looked at for now. Try again in 42 s, at 12:34:56 UTC.", login.Error, StringComparison.Ordinal);
        Assert.Single(login.Error.Split("ry again"), s => s.Contains("in 42 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_revokes_the_token_that_is_in_use_is_asked_and_told_that_the_sign_in_ends()
    {
        Msctl.SignedInAt(Product);
        var refused = await Msctl.Run("tokens", "revoke", "0195f2d0-0000-7000-8000-000000000001");
        Assert.Equal((2, "msctl: Whether to end this sign-in could not be asked: there is no terminal.\n  If you are sure: --yes\n"), (refused.ExitCode, refused.Error));
        Assert.DoesNotContain(Product.Requests, r => r.Method == "DELETE");

        var own = await Msctl.Run("tokens", "revoke", "0195f2d0-0000-7000-8000-000000000001", "--yes");
        Assert.Equal((0, "Revoked; this sign-in has ended. To sign in again: msctl login\n"), (own.ExitCode, own.Error));
        var other = await Msctl.Run("tokens", "revoke", "0195f2d0-0000-7000-8000-000000000002");
        Assert.Equal((0, "Revoked.\n"), (other.ExitCode, other.Error));
    }

    [Fact]
    public async Task In_a_pipe_an_unknown_authority_is_shown_and_not_accepted()
    {
        var login = await Msctl.Run(["login", "--url", $"{Product.Address}", "--user", "admin", "--password-file", "-"], Password);
        Assert.Equal(2, login.ExitCode);
        Assert.Contains(Product.Certificates.Fingerprint, login.Error, StringComparison.Ordinal);
        Assert.Contains("--ca-fingerprint", login.Error, StringComparison.Ordinal);
        Assert.Equal(["/ca.pem"], Product.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task An_unexpected_fingerprint_stops_before_the_password_is_sent()
    {
        var login = await Msctl.Run(["login", "--url", $"{Product.Address}", "--user", "admin", "--ca-fingerprint", "AA:BB", "--password-file", "-"], Password);
        Assert.Equal(2, login.ExitCode);
        Assert.Contains("expected: AA:BB", login.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Product.Requests, r => r.Authorization.Length > 0);
        Assert.False(File.Exists(Msctl.Config));
    }

    [Fact]
    public async Task On_a_terminal_everything_is_asked_and_the_password_is_not_echoed()
    {
        await using var login = Pty.Start(Msctl, 100, 24, "login");
        await Answer(login, "Address of the product", $"{Product.Address}");
        await Answer(login, "trusted from now on? [y/N]", "y");
        await Answer(login, "Account [admin]", "");
        await Answer(login, "Password of admin", Password);
        var end = await login.End();

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Contains(Product.Certificates.Fingerprint, end.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, end.Out, StringComparison.Ordinal);
        Assert.Equal($"Basic {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"admin:{Password}"))}", Product.Requests.Single(r => r.Path == "/api/v2/tokens").Authorization);
        using var config = JsonDocument.Parse(await File.ReadAllTextAsync(Msctl.Config));
        Assert.Equal("ms_secret", config.RootElement.GetProperty("token").GetString());
    }

    [Fact]
    public async Task A_stored_token_is_not_sent_to_a_product_of_another_authority()
    {
        await Msctl.Run(["login", "--url", $"{Product.Address}", "--user", "admin", "--ca-fingerprint", Product.Certificates.Fingerprint, "--password-file", "-"], Password);
        await using var other = await Product.Start();
        var asked = await Msctl.Run("whoami", "--url", $"{other.Address}", "--ca", Msctl.File("other.pem", other.Certificates.Pem));
        Assert.Equal(3, asked.ExitCode);
        var trusted = await Msctl.Run("whoami", "--url", $"{other.Address}");
        Assert.Equal(4, trusted.ExitCode);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task A_wrong_password_ends_with_3_and_stores_nothing()
    {
        Product.On("POST", "/api/v2/tokens", """{"type":"not-signed-in","title":"Not signed in","status":401,"detail":"The request carries no valid credentials."}""", 401);
        var login = await Msctl.Run(["login", "--url", $"{Product.Address}", "--user", "admin", "--ca-fingerprint", Product.Certificates.Fingerprint, "--password-file", "-"], "wrong");
        Assert.Equal(3, login.ExitCode);
        Assert.Contains("no valid credentials", login.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Msctl.Config));
    }

    [Fact]
    public async Task Secrets_are_in_no_process_list()
    {
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Product.OnRaw("POST", "/api/v2/tokens", async context =>
        {
            arrived.SetResult();
            await hold.Task;
            await context.Response.WriteAsync("""{"id":"1","token":"ms_secret","expiresAt":null}""");
        });
        await using var login = Msctl.Start(["login", "--url", $"{Product.Address}", "--user", "admin", "--ca-fingerprint", Product.Certificates.Fingerprint, "--password-file", "-"], Password);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var commandLine = await File.ReadAllTextAsync($"/proc/{login.Id}/cmdline");
        var environment = await File.ReadAllTextAsync($"/proc/{login.Id}/environ");
        hold.SetResult();
        await login.End();

        Assert.Contains("login", commandLine, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, commandLine + environment, StringComparison.Ordinal);
        var password = await Msctl.Run("login", "--password", Password);
        Assert.Equal(2, password.ExitCode);
    }

    private static async Task Answer(RunningMsctl running, string question, string answer)
    {
        await running.Shows(question);
        await running.Input.WriteAsync(answer + "\r");
        await running.Input.FlushAsync();
    }
}
