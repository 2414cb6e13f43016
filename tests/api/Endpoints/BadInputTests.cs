using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace ManagedServers.Tests.Endpoints;

[Collection(WithSharedProduct.Name)]
public sealed class BadInputTests(SharedProduct shared)
{
    private readonly ProductProcess product = shared.Product;

    [Theory]
    [InlineData("name", "two\nlines")]
    [InlineData("name", "")]
    [InlineData("name", "a\u202Eb")]
    [InlineData("name", ".")]
    [InlineData("name", "..")]
    [InlineData("address", "ns1.example.org; reboot")]
    [InlineData("address", "300.1.1.1")]
    [InlineData("sshUser", "-oProxyCommand=x")]
    [InlineData("apiAddress", "http://192.0.2.1")]
    [InlineData("apiAddress", "https://192.0.2.1;reboot")]
    [InlineData("password", "two\nlines")]
    [InlineData("password", "not\0text")]
    [InlineData("passphrase", "from-a-file\r\n")]
    [InlineData("privateKey", "-----BEGIN\0")]
    [InlineData("login", "wheel")]
    [InlineData("colour", "green")]
    public async Task A_bad_field_is_named_and_nothing_is_added(string field, string value)
    {
        var request = Valid();
        request[field] = value;
        await Refused(request, field);
    }

    [Theory]
    [InlineData("POST", "/api/v2/pvservers/ns1/install?plna=true", "plna")]
    [InlineData("GET", "/api/v2/runs?sate=failed", "sate")]
    public async Task A_name_in_the_query_that_nobody_knows_is_a_misspelt_wish_and_refused(string method, string path, string name)
    {
        using var admin = product.Admin();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "GET" ? null : JsonContent.Create(new { }) };
        var (status, problem) = await admin.SendAsync(request).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(name, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task A_question_about_metrics_that_has_no_answer_names_its_field()
    {
        (string Query, string Field)[] questions =
        [
            ("format=xml", "format"), ("metric=no.such", "metric"), ("metric=load.1%7B/%7D", "metric"), ("points=0", "points"), ("points=1000000", "points"), ("points=many", "points"),
            ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"), ("from=1980-01-01T00:00:00Z", "to"), ("from=yesterday", "from"),
        ];
        using var admin = product.Admin();
        (await admin.PostAsJsonAsync("/api/v2/pvservers", new { name = "measured", installation = "manual" })).EnsureSuccessStatusCode();
        try
        {
            foreach (var (query, field) in questions)
            {
                var (status, problem) = await admin.GetAsync($"/api/v2/pvservers/measured/metrics?{query}").Answer();
                Assert.Equal((HttpStatusCode.BadRequest, query, field), (status, query, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name));
            }

            Assert.Empty((await admin.GetAsync("/api/v2/pvservers/measured/metrics").Json()).GetProperty("series").EnumerateArray());
            Assert.Contains("disk.used", (await admin.GetAsync("/api/v2/monitoring/metrics").Json()).EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        }
        finally
        {
            (await admin.DeleteAsync("/api/v2/pvservers/measured")).EnsureSuccessStatusCode();
        }
    }

    [Fact]
    public async Task A_display_name_of_ten_thousand_characters_is_refused_with_its_length()
    {
        var request = Valid();
        request["name"] = new string('x', 10_000);
        var problem = await Refused(request, "name");
        Assert.Contains("10000", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("🦄")]
    [InlineData("Büro, 2. Stock")]
    [InlineData("...")]
    public async Task A_name_may_have_whatever_can_be_seen(string name)
    {
        var request = Valid();
        (request["name"], request["address"]) = (name, "no such host!");
        Assert.Equal("address", Assert.Single((await Refused(request, "address")).GetProperty("errors").EnumerateObject()).Name);
    }

    [Theory]
    [InlineData("POST", "/api/v2/pvservers/probe", "sshport22", "{\"address\":\"127.0.0.1\",\"sshport22\":1}")]
    [InlineData("PATCH", "/api/v2/pvservers/ns1", "displayName", "{\"displayName\":\"x\"}")]
    [InlineData("POST", "/api/v2/pvservers/ns1/install", "dropZone", "{\"dropZone\":true}")]
    [InlineData("POST", "/api/v2/pvservers/ns1/install", "zones[1].text", "{\"zones\":[{\"name\":\"a\",\"file\":\"b\"},{\"name\":\"a\",\"text\":\"b\"}]}")]
    [InlineData("POST", "/api/v2/pvservers/ns1/stop", "component", "{\"component\":\"dns\"}")]
    [InlineData("POST", "/api/v2/runs/actions", "because", "{\"action\":\"cancel\",\"because\":\"x\"}")]
    public async Task A_misspelt_member_is_refused_by_its_place_instead_of_being_passed_over(string method, string path, string field, string body)
    {
        using var admin = product.Admin();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var (status, problem) = await admin.SendAsync(request).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("is not known here", problem.GetProperty("errors").GetProperty(field)[0].GetString());
    }

    [Fact]
    public async Task A_body_over_the_limit_of_its_address_is_told_the_limit()
    {
        using var admin = product.Admin();
        var request = Valid();
        request["name"] = new string('x', 1024 * 1024);
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers", request).Answer();
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too-large"), (status, problem.GetProperty("type").GetString()));
        Assert.Contains("at most 1 MiB", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        var zones = new { zones = new[] { new { name = "example.org", file = new string(';', 2 * 1024 * 1024) } } };
        Assert.Equal(HttpStatusCode.NotFound, (await admin.PostAsJsonAsync("/api/v2/pvservers/unknown/install", zones)).StatusCode);
    }

    [Fact]
    public async Task Every_bad_field_is_named_at_once()
    {
        var request = Valid();
        (request["name"], request["address"], request["sshPort"]) = ("", "no such host!", 70_000);
        var problem = await Refused(request, "name");
        Assert.True(problem.GetProperty("errors").TryGetProperty("address", out _));
        Assert.True(problem.GetProperty("errors").TryGetProperty("sshPort", out _));
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_told_with_what_to_do()
    {
        using var admin = product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/probe", new { address = "no-such-host.invalid" }).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("name-unknown", problem.GetProperty("type").GetString());
        Assert.Contains("no-such-host.invalid", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_port_is_told_apart_from_a_name_that_does_not_resolve()
    {
        using var admin = product.Admin();
        var (_, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/probe", new { address = "127.0.0.1", sshPort = 1 }).Answer();
        Assert.Equal("connection-refused", problem.GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"sshPort\":\"many\"}")]
    [InlineData("{\"name\":{\"deep\":[[[[1]]]]}}")]
    public async Task Json_that_does_not_fit_is_a_problem_and_never_an_internal_error(string body)
    {
        using var admin = product.Admin();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var (status, problem) = await admin.PostAsync("/api/v2/pvservers", content).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("invalid-input", problem.GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("filter", "/api/v2/pvservers?filter=a%00b")]
    [InlineData("after", "/api/v2/pvservers?after=%00")]
    [InlineData("limit", "/api/v2/pvservers?limit=0")]
    [InlineData("limit", "/api/v2/pvservers?limit=99999999999999999999")]
    [InlineData("kind", "/api/v2/runs?kind=%00")]
    [InlineData("state", "/api/v2/runs?state=queued&state=%00")]
    [InlineData("server", "/api/v2/runs?server=%0a")]
    [InlineData("before", "/api/v2/runs?before=yesterday")]
    [InlineData("from", "/api/v2/pvservers/ns1/hits?from=0001-01-01")]
    [InlineData("from", "/api/v2/pvservers/ns1/hits?from=0001-01-01T00:00:00%2B14:00")]
    [InlineData("to", "/api/v2/pvservers/ns1/hits?to=9999-12-31T23:59:59Z")]
    [InlineData("to", "/api/v2/pvservers/ns1/hits?to=tomorrow")]
    [InlineData("zone", "/api/v2/pvservers/ns1/hits?zone=%00")]
    [InlineData("after", "/api/v2/pvservers/ns1/hits?after=%00")]
    [InlineData("before", "/api/v2/pvservers/ns1/heartbeats?before=%00")]
    [InlineData("after", "/api/v2/runs/00000000-0000-0000-0000-000000000001/log?after=x")]
    public async Task A_question_that_cannot_be_answered_is_refused_by_the_name_of_its_field(string field, string path)
    {
        using var admin = product.Admin();
        var (status, problem) = await admin.GetAsync(path).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
    }

    [Fact]
    public async Task Hits_of_a_type_that_no_record_has_are_refused_by_the_field()
    {
        using var admin = product.Admin();
        await admin.PostAsJsonAsync("/api/v2/pvservers", new { name = "of-hits", installation = "manual" }).Json();
        var (status, problem) = await admin.GetAsync("/api/v2/pvservers/of-hits/hits?type=FOO").Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("type", Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/api/v2/pvservers/of-hits/hits?type=TYPE65280")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync("/api/v2/pvservers/of-hits")).StatusCode);
    }

    [Fact]
    public async Task A_request_without_its_body_is_told_what_to_send()
    {
        using var admin = product.Admin();
        using var empty = new StringContent("", Encoding.UTF8, "application/json");
        foreach (var body in new[] { null, empty })
        {
            var (status, problem) = await admin.PostAsync("/api/v2/pvservers", body).Answer();
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Equal("is missing: send a JSON object", problem.GetProperty("errors").GetProperty("body")[0].GetString());
        }

        using var text = new StringContent("{}", Encoding.UTF8, "text/plain");
        var (refused, why) = await admin.PostAsync("/api/v2/pvservers", text).Answer();
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, refused);
        Assert.Contains("application/json", why.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_server_and_an_unknown_run_are_told_as_such()
    {
        using var admin = product.Admin();
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/api/v2/pvservers/unknown")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync($"/api/v2/runs/{Guid.NewGuid()}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/api/v2/nothing/of/this")).StatusCode);
    }

    private static Dictionary<string, object> Valid() => new()
    {
        ["name"] = "ns1", ["address"] = "127.0.0.1", ["sshPort"] = 1, ["sshUser"] = "root", ["password"] = "not-a-real-one", ["hostKey"] = "SHA256:x",
    };

    private async Task<JsonElement> Refused(Dictionary<string, object> request, string field)
    {
        using var admin = product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers", request).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
        Assert.DoesNotContain("not-a-real-one", problem.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, (await admin.GetAsync("/api/v2/pvservers").Json()).GetProperty("items").GetArrayLength());
        return problem;
    }
}
