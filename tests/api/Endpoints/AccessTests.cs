using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace ManagedServers.Tests.Endpoints;

[Collection(WithSharedProduct.Name)]
public sealed class AccessTests(SharedProduct shared)
{
    private readonly ProductProcess product = shared.Product;

    public static TheoryData<string, string> Everything => new()
    {
        { "GET", "/api/v2/me" }, { "POST", "/api/v2/tokens" }, { "DELETE", "/api/v2/tokens/current" }, { "GET", "/api/v2/tokens" }, { "DELETE", "/api/v2/tokens/00000000-0000-0000-0000-000000000001" },
        { "GET", "/api/v2/pvservers" }, { "POST", "/api/v2/pvservers" }, { "POST", "/api/v2/pvservers/probe" }, { "GET", "/api/v2/pvservers/x" },
        { "DELETE", "/api/v2/pvservers/x" }, { "POST", "/api/v2/pvservers/x/test" }, { "POST", "/api/v2/pvservers/x/install" },
        { "GET", "/api/v2/pvservers/x/commands" }, { "PUT", "/api/v2/pvservers/x/commands" },
        { "GET", "/api/v2/commands" }, { "POST", "/api/v2/commands" }, { "GET", "/api/v2/commands/x" }, { "PATCH", "/api/v2/commands/x" }, { "DELETE", "/api/v2/commands/x" },
        { "POST", "/api/v2/pvservers/x/start" }, { "POST", "/api/v2/pvservers/x/stop" }, { "POST", "/api/v2/pvservers/x/restart" }, { "POST", "/api/v2/pvservers/x/run-commands" },
        { "GET", "/api/v2/pvservers/x/heartbeats" }, { "GET", "/api/v2/pvservers/x/hits" }, { "GET", "/api/v2/pvservers/x/metrics" }, { "GET", "/api/v2/monitoring/metrics" },
        { "GET", "/api/v2/sshroutes" }, { "POST", "/api/v2/sshroutes" }, { "GET", "/api/v2/sshroutes/x" }, { "PATCH", "/api/v2/sshroutes/x" }, { "DELETE", "/api/v2/sshroutes/x" },
        { "POST", "/api/v2/sshroutes/x/test" }, { "GET", "/api/v2/sshroutes/x/history" },
        { "POST", "/api/v2/pvservers/x/rotate-credential" }, { "POST", "/api/v2/pvservers/x/host-key" },
        { "GET", "/api/v2/pvservers/x/configuration" }, { "POST", "/api/v2/pvservers/x/configuration/apply" }, { "GET", "/api/v2/pvservers/x/configuration/dns/versions" },
        { "GET", "/api/v2/pvservers/x/configuration/dns/versions/1" }, { "GET", "/api/v2/pvservers/x/configuration/dns/versions/1/diff?to=2" },
        { "POST", "/api/v2/pvservers/x/configuration/dns/versions/1/restore" },
        { "GET", "/api/v2/drift" }, { "POST", "/api/v2/drift/check" }, { "GET", "/api/v2/pvservers/x/drift" }, { "POST", "/api/v2/pvservers/x/drift/check" },
        { "POST", "/api/v2/pvservers/x/drift/reapply" }, { "POST", "/api/v2/pvservers/x/drift/accept" },
        { "GET", "/api/v2/runs" }, { "GET", "/api/v2/runs/00000000-0000-0000-0000-000000000001" }, { "GET", "/api/v2/runs/00000000-0000-0000-0000-000000000001/log" },
        { "GET", "/api/v2/runs/00000000-0000-0000-0000-000000000001/events" }, { "POST", "/api/v2/runs/00000000-0000-0000-0000-000000000001/cancel" },
        { "POST", "/api/v2/runs/00000000-0000-0000-0000-000000000001/retry" }, { "POST", "/api/v2/runs/00000000-0000-0000-0000-000000000001/skip" },
        { "GET", "/api/v2/settings" }, { "GET", "/api/v2/settings/monitoring" }, { "PATCH", "/api/v2/settings/monitoring" }, { "GET", "/api/v2/settings/monitoring/history" },
        { "GET", "/api/v2/monitoring/agent" }, { "POST", "/api/v2/monitoring/heartbeats" }, { "POST", "/api/v2/monitoring/dns" }, { "POST", "/api/v2/monitoring/host-state" },
        { "POST", "/api/v2/enrolment/exchange" }, { "POST", "/api/v2/enrolment/check-in" }, { "GET", "/api/v2/enrolment/order?runId=00000000-0000-0000-0000-000000000001" },
        { "POST", "/api/v2/enrolment/reports" }, { "GET", "/api/v2/enrolment/heartbeat" }, { "GET", "/api/v2/enrolment/images/dns" },
        { "GET", "/api/v2/pvservers/x/enrolment" }, { "POST", "/api/v2/pvservers/x/enrolment" }, { "POST", "/api/v2/pvservers/x/uninstall" },
        { "GET", "/api/v2/settings/rabbitmq" }, { "PATCH", "/api/v2/settings/rabbitmq" }, { "POST", "/api/v2/settings/rabbitmq/test" },
        { "GET", "/api/v2/alerts" }, { "GET", "/api/v2/monitoring/health" }, { "GET", "/api/v2/pvservers/x/health" }, { "GET", "/api/v2/alerts/rules" }, { "POST", "/api/v2/alerts/rules" },
        { "GET", "/api/v2/alerts/rules/x" }, { "PATCH", "/api/v2/alerts/rules/x" }, { "DELETE", "/api/v2/alerts/rules/x" }, { "POST", "/api/v2/alerts/rules/preview" }, { "POST", "/api/v2/alerts/rules/x/preview" },
        { "GET", "/api/v2/alerts/maintenance" }, { "POST", "/api/v2/alerts/maintenance" }, { "DELETE", "/api/v2/alerts/maintenance/00000000-0000-0000-0000-000000000001" }, { "GET", "/api/v2/alerts/channels" }, { "POST", "/api/v2/alerts/channels" },
        { "GET", "/api/v2/alerts/channels/x" }, { "PATCH", "/api/v2/alerts/channels/x" }, { "DELETE", "/api/v2/alerts/channels/x" }, { "POST", "/api/v2/alerts/channels/x/test" },
        { "GET", "/openapi/v2.json" }, { "GET", "/api/v2/nothing" },
    };

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Nobody_gets_in_without_credentials(string method, string path)
    {
        using var nobody = product.Client(null);
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = JsonContent.Create(new { }) };
        using var response = await nobody.SendAsync(request);
        Assert.True(response.StatusCode is HttpStatusCode.Unauthorized, $"{method} {path} answered {response.StatusCode}");
    }

    [Theory]
    [InlineData("admin", "wrong")]
    [InlineData("nobody", "wrong")]
    [InlineData("admin", "")]
    [InlineData("adm\0in", "x")]
    public async Task A_wrong_password_and_an_unknown_name_get_the_same_answer(string name, string password)
    {
        using var client = product.Client(ProductProcess.Basic(name, password));
        var (status, body) = await client.GetAsync("/api/v2/me").Answer();
        Assert.Equal(HttpStatusCode.Unauthorized, status);
        Assert.Equal("not-signed-in", body.GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_token_works_until_it_is_revoked()
    {
        using var admin = product.Admin();
        var issued = await admin.PostAsJsonAsync("/api/v2/tokens", new { name = "laptop", expiresInDays = 1 }).Json();
        using var client = product.Client(new AuthenticationHeaderValue("Bearer", issued.GetProperty("token").GetString()));
        Assert.Equal("admin", (await client.GetAsync("/api/v2/me").Json()).GetProperty("name").GetString());
        (await client.DeleteAsync("/api/v2/tokens/current")).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v2/me")).StatusCode);
    }

    [Fact]
    public async Task An_administrator_cannot_report_for_a_server()
    {
        using var admin = product.Admin();
        var (status, _) = await admin.PostAsJsonAsync("/api/v2/monitoring/heartbeats", new { epoch = "00", beats = Array.Empty<object>() }).Answer();
        Assert.Equal(HttpStatusCode.Forbidden, status);
    }

    [Theory]
    [InlineData("POST", "/api/v2/enrolment/check-in")]
    [InlineData("GET", "/api/v2/enrolment/order?runId=00000000-0000-0000-0000-000000000001")]
    [InlineData("POST", "/api/v2/enrolment/reports")]
    [InlineData("GET", "/api/v2/enrolment/images/dns")]
    public async Task An_administrator_cannot_act_for_a_host(string method, string path)
    {
        using var admin = product.Admin();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = JsonContent.Create(new { }) };
        Assert.Equal(HttpStatusCode.Forbidden, (await admin.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Guessing_an_enrolment_token_is_stopped_after_ten_tries()
    {
        using var guesser = product.Client(new AuthenticationHeaderValue("Bearer", "ms_guess"), IPAddress.Parse("127.0.0.98"));
        for (var i = 0; i < 10; i++)
        {
            var (status, problem) = await guesser.PostAsJsonAsync("/api/v2/enrolment/exchange", new { claim = new string('a', 64), hostName = "h", isRoot = true }).Answer();
            Assert.Equal((HttpStatusCode.Unauthorized, "unknown-token"), (status, problem.GetProperty("type").GetString()));
        }

        using var refused = await guesser.PostAsJsonAsync("/api/v2/enrolment/exchange", new { claim = new string('a', 64), hostName = "h", isRoot = true });
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
    }

    [Fact]
    public async Task Of_thirty_passwords_at_once_ten_are_looked_at()
    {
        using var guesser = product.Client(ProductProcess.Basic("admin", "guess"), IPAddress.Parse("127.0.0.97"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            using var answer = await guesser.GetAsync("/api/v2/me");
            return answer.StatusCode;
        }));
        Assert.Equal((10, 20), (answers.Count(a => a == HttpStatusCode.Unauthorized), answers.Count(a => a == HttpStatusCode.TooManyRequests)));
    }

    [Fact]
    public async Task Guessing_a_password_is_stopped_after_ten_tries_even_with_the_right_one()
    {
        // From an address of its own, so that no other test is locked out.
        var elsewhere = IPAddress.Parse("127.0.0.99");
        using var guesser = product.Client(ProductProcess.Basic("admin", "guess"), elsewhere);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await guesser.GetAsync("/api/v2/me")).StatusCode);
        }

        using var right = product.Client(ProductProcess.Basic("admin", product.AdminPassword), elsewhere);
        using var refused = await right.GetAsync("/api/v2/me");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        var seconds = refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds;
        Assert.InRange(seconds, 1, 60);
        Assert.Contains($"Try again in {seconds} s", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var another = product.Admin();
        Assert.Equal(HttpStatusCode.OK, (await another.GetAsync("/api/v2/me")).StatusCode);
    }

    [Theory]
    [InlineData("/servers")]
    [InlineData("/openapi/v2.json")]
    public async Task The_name_that_a_client_calls_the_product_by_ends_up_in_no_answer(string path)
    {
        using var admin = product.Admin();
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "evil.example" } };
        using var answer = await admin.SendAsync(request);
        Assert.DoesNotContain("evil.example", $"{answer.Headers}{await answer.Content.ReadAsStringAsync()}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_description_of_the_api_names_every_family_and_asks_for_no_zone_file_where_there_may_be_records()
    {
        using var admin = product.Admin();
        var document = await admin.GetAsync("/openapi/v2.json").Json();
        var paths = document.GetProperty("paths").EnumerateObject().Select(p => p.Name).ToList();
        Assert.Contains("/api/v2/pvservers/{server}/install", paths);
        Assert.Contains("/api/v2/runs/{id}/events", paths);
        Assert.Equal(["name"], document.GetProperty("components").GetProperty("schemas").GetProperty("ZoneRequest").GetProperty("required").EnumerateArray().Select(r => r.GetString()));
    }
}
