using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ManagedServers.Tests.Endpoints;

/// <summary>What a change of the product's own records would be, shown before it is made.</summary>
[Collection(WithSharedProduct.Name)]
public sealed class StoredPlanTests(SharedProduct shared) : IAsyncLifetime
{
    private const string Secret = "s3cret-of-a-hop";
    private readonly ProductProcess product = shared.Product;
    private readonly HttpClient admin = shared.Product.Admin();
    private string token = "";

    public async Task InitializeAsync()
    {
        await Ask("POST", "/api/v2/pvservers", new { name = "byhand", installation = "manual" }, HttpStatusCode.Created);
        await Ask("POST", "/api/v2/commands", new { name = "note", text = "id\ntrue", uses = new[] { "pre-install" } }, HttpStatusCode.Created);
        await Ask("PUT", "/api/v2/pvservers/byhand/commands", new { preCommands = new[] { "note" } });
        token = (await Ask("POST", "/api/v2/tokens", new { name = "laptop" })).GetProperty("id").GetString()!;
    }

    public async Task DisposeAsync()
    {
        await Ask("DELETE", "/api/v2/pvservers/byhand", null, HttpStatusCode.NoContent);
        await Ask("DELETE", "/api/v2/commands/note", null, HttpStatusCode.NoContent);
        await Ask("DELETE", $"/api/v2/tokens/{token}", null, HttpStatusCode.NoContent);
        admin.Dispose();
    }

    [Fact]
    public async Task Every_change_that_starts_no_run_is_shown_with_whom_it_concerns_and_nothing_is_done()
    {
        var before = await Everything();
        Assert.Equal(
            ["server: - -> office, installed by hand", "the product's address: - -> its own"], Changes(await Plan("POST", "/api/v2/pvservers", new { name = "office", installation = "manual" })));
        Assert.Equal(["name: 'byhand' -> 'office'", "address: none -> 192.0.2.7"], Changes(await Plan("PATCH", "/api/v2/pvservers/byhand", new { name = "office", address = "192.0.2.7" }, "byhand")));
        Assert.Empty(Changes(await Plan("PATCH", "/api/v2/pvservers/byhand", new { name = "byhand" }, "byhand")));
        Assert.Equal(
            ["server: byhand (by hand), with its login, its token, its history and the commands chosen for it -> -", "measurements: all of them -> -"], Changes(await Plan("DELETE", "/api/v2/pvservers/byhand", null, "byhand")));
        Assert.Equal(["pre-commands: 'note' -> none", "post-commands: none -> 'ask DNS'"],
            Changes(await Plan("PUT", "/api/v2/pvservers/byhand/commands", new { preCommands = Array.Empty<string>(), postCommands = new[] { "ask DNS" } }, "byhand")));
        Assert.StartsWith("enrolment token: - -> a new one, good until ", Assert.Single(Changes(await Plan("POST", "/api/v2/pvservers/byhand/enrolment", new { validMinutes = 10 }, "byhand"))), StringComparison.Ordinal);

        var command = await Plan("PATCH", "/api/v2/commands/note", new { name = "memo", text = "id\nfalse", asRoot = false }, "byhand");
        Assert.Equal(["name: 'note' -> 'memo'", "text: 2 lines -> another one, 2 lines", "runs as: root -> the user who logs in"], Changes(command));
        Assert.Equal("  id\n- true\n+ false", command.GetProperty("changes")[1].GetProperty("detail").GetString());
        Assert.Contains("Runs under way go on with the text", command.GetProperty("notes")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("time limit: - -> 300 s", Changes(await Plan("POST", "/api/v2/commands", new { name = "memo", text = "true" })));
        Assert.StartsWith("token: 'laptop' of admin, good until ", Assert.Single(Changes(await Plan("DELETE", $"/api/v2/tokens/{token}", null))), StringComparison.Ordinal);

        var route = await Plan("POST", "/api/v2/sshroutes", new { name = "dmz", hops = new[] { new { address = "192.0.2.1", password = Secret } } });
        Assert.Equal(["route: - -> 'dmz'", "hops: - -> root@192.0.2.1:22 (password, its key is not known yet)"], Changes(route));
        Assert.Contains("logs in on one hop after the other", route.GetProperty("proof").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, route.ToString(), StringComparison.Ordinal);

        var settings = await Plan("PATCH", "/api/v2/settings/monitoring", new { windowSeconds = 300 });
        Assert.Equal(["windowSeconds: 120 -> 300"], Changes(settings));
        Assert.Contains("next report", settings.GetProperty("onHosts").GetString(), StringComparison.Ordinal);
        var broker = await Plan("PATCH", "/api/v2/settings/rabbitmq", new { host = "mq.example", user = "ms", password = Secret });
        Assert.Equal(["host: - -> mq.example", "user: - -> ms", "password: - -> one, not shown"], Changes(broker));

        Assert.Equal(["schedule 'check-drift': active -> paused"], Changes(await Plan("POST", "/api/v2/schedules/check-drift/pause", new { reason = "works" })));
        Assert.Equal(["schedule 'check-drift': active -> -"], Changes(await Plan("POST", "/api/v2/schedules/check-drift/remove", new { })));
        Assert.Equal(["schedule 'check-drift': active -> started"], Changes(await Plan("POST", "/api/v2/schedules/check-drift/run", new { })));
        Assert.Equal(["schedule 'nightly': - -> created"], Changes(await Plan("PUT", "/api/v2/schedules/nightly", new { settings = new { name = "nightly", kind = "check-drift", input = new { }, cron = "0 3 * * *" } })));
        Assert.Equal(["check-drift null"], (await admin.GetAsync("/api/v2/schedules").Json()).EnumerateArray().Select(s => $"{s.GetProperty("name").GetString()} {s.GetProperty("pause").GetRawText()}"));

        Assert.Equal(before, await Everything());
        Assert.DoesNotContain(Secret, await product.DumpDatabase(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_done_to_a_run_is_shown_with_the_steps_that_come_then_and_is_not_done()
    {
        var zone = new { name = "example.org", file = "@ 300 SOA ns.example.org. h.example.org. 1 2 3 4 5\n@ 300 NS ns.example.org.\n" };
        var id = (await Ask("POST", "/api/v2/pvservers/byhand/install", new { zones = new[] { zone } }, HttpStatusCode.Accepted)).GetProperty("runId").GetString();
        var path = $"/api/v2/runs/{id}";
        await ProductProcess.Until(async () => (await Ask("GET", path, null)).GetProperty("state").GetString() == "waiting", "the run waits for its host");
        var before = (await Ask("GET", path, null)).ToString();

        Assert.Equal([$"run {id}: waiting -> reprioritised: To high"], Changes(await Plan("POST", $"{path}/priority", new { priority = "high" }, "byhand")));
        var cancel = await Plan("POST", $"{path}/cancel", new { reason = "wrong host" }, "byhand");
        Assert.Equal([$"run {id}: waiting -> cancelled: What was done is left as it is"], Changes(cancel));
        Assert.Equal(JsonValueKind.Null, cancel.GetProperty("onHosts").ValueKind);
        foreach (var refused in new[] { "retry", "skip", "steps/check-in/approve" })
        {
            var (planned, done) = (await Send("POST", $"{path}/{refused}?plan=true", new { }), await Send("POST", $"{path}/{refused}", new { }));
            Assert.Equal((HttpStatusCode.Conflict, done.Body.ToString()), (planned.Status, planned.Body.ToString()));
        }

        Assert.Equal(before, (await Ask("GET", path, null)).ToString());
        await Ask("POST", $"{path}/cancel", new { }, HttpStatusCode.Accepted);
        var retry = await Plan("POST", $"{path}/retry", new { }, "byhand");
        Assert.Equal([$"run {id}: cancelled -> queued: From the start"], Changes(retry));
        Assert.StartsWith("1. Wait until the line is run on the host\n2. Write down what the host shall do\n", retry.GetProperty("changes")[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("The run goes on, and does these steps.", retry.GetProperty("onHosts").GetString());
        Assert.Equal("cancelled", (await Ask("GET", path, null)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_name_that_a_shell_would_take_apart_is_quoted_in_what_is_to_be_copied()
    {
        const string path = "/api/v2/pvservers/it's%20$(here)";
        await Ask("POST", "/api/v2/pvservers", new { name = "it's $(here)", installation = "manual" }, HttpStatusCode.Created);
        Assert.Contains(@"(msctl servers edit 'it'\''s $(here)' --address HOST ", (await Ask("POST", $"{path}/test", new { }, HttpStatusCode.Conflict)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        await Ask("DELETE", path, null, HttpStatusCode.NoContent);
    }

    [Theory]
    [InlineData("POST", "/api/v2/pvservers", """{"name":"ByHand","installation":"manual"}""")]
    [InlineData("POST", "/api/v2/pvservers", """{"name":"x","address":"127.0.0.1","sshPort":1,"password":"a-password"}""")]
    [InlineData("PATCH", "/api/v2/pvservers/byhand", """{"name":"two\nlines"}""")]
    [InlineData("PATCH", "/api/v2/pvservers/byhand", """{"sshPort":22}""")]
    [InlineData("DELETE", "/api/v2/pvservers/unknown", null)]
    [InlineData("PUT", "/api/v2/pvservers/byhand/commands", """{"preCommands":["nobody"]}""")]
    [InlineData("POST", "/api/v2/pvservers/byhand/enrolment", """{"validMinutes":1}""")]
    [InlineData("POST", "/api/v2/pvservers/byhand/host-key", "{}")]
    [InlineData("POST", "/api/v2/commands", """{"name":"NOTE","text":"true"}""")]
    [InlineData("PATCH", "/api/v2/commands/note", """{"name":"free port 53"}""")]
    [InlineData("PATCH", "/api/v2/commands/ask DNS", """{"text":"true"}""")]
    [InlineData("DELETE", "/api/v2/commands/note", null)]
    [InlineData("POST", "/api/v2/sshroutes", """{"name":"dmz","hops":[{"address":"192.0.2.1","password":"a-password","hostKey":"SHA256:x"}]}""")]
    [InlineData("DELETE", "/api/v2/sshroutes/unknown", null)]
    [InlineData("DELETE", "/api/v2/tokens/00000000-0000-0000-0000-000000000001", null)]
    [InlineData("PATCH", "/api/v2/settings/monitoring", """{"windowSeconds":-1}""")]
    [InlineData("PATCH", "/api/v2/settings/rabbitmq", """{"port":0}""")]
    [InlineData("POST", "/api/v2/schedules/check-drift/resume", "{}")]
    [InlineData("PUT", "/api/v2/schedules/nightly", """{"settings":{"name":"nightly","kind":"nobody","input":{},"cron":"0 3 * * *"}}""")]
    [InlineData("POST", "/api/v2/runs/00000000-0000-0000-0000-000000000001/cancel", "{}")]
    [InlineData("POST", "/api/v2/alerts/rules", """{"name":"x","kind":"threshold","metric":"load.1"}""")]
    [InlineData("PATCH", "/api/v2/alerts/rules/unknown", "{}")]
    [InlineData("POST", "/api/v2/alerts/channels", """{"name":"x","kind":"webhook","url":"http://169.254.169.254/"}""")]
    [InlineData("POST", "/api/v2/alerts/maintenance", """{"server":""}""")]
    public async Task A_plan_is_refused_for_what_the_doing_is_refused_for(string method, string path, string? body)
    {
        var json = body is null ? (JsonElement?)null : JsonSerializer.Deserialize<JsonElement>(body);
        var (planned, done) = (await Send(method, $"{path}?plan=true", json), await Send(method, path, json));
        Assert.True((int)planned.Status >= 400, $"{planned}");
        Assert.Equal((done.Status, done.Body.ToString()), (planned.Status, planned.Body.ToString()));
    }

    [Fact]
    public async Task Both_answers_of_a_change_are_described()
    {
        var document = (await admin.GetAsync("/openapi/v2.json").Json()).GetProperty("paths");
        foreach (var (path, method, status) in new[] { ("/api/v2/pvservers/{server}", "patch", "200"), ("/api/v2/commands/{name}", "delete", "204"), ("/api/v2/sshroutes", "post", "201") })
        {
            var operation = document.GetProperty(path).GetProperty(method);
            Assert.Contains(operation.GetProperty("parameters").EnumerateArray(), p => p.GetProperty("name").GetString() == "plan");
            Assert.True(operation.GetProperty("responses").TryGetProperty(status, out _), path);
            Assert.Contains("StoredPlan", operation.GetProperty("responses").GetProperty("200").ToString(), StringComparison.Ordinal);
        }
    }

    private static List<string> Changes(JsonElement plan) =>
        [.. plan.GetProperty("changes").EnumerateArray().Select(c => $"{c.GetProperty("thing").GetString()}: {c.GetProperty("from").GetString() ?? "-"} -> {c.GetProperty("to").GetString() ?? "-"}")];

    private async Task<JsonElement> Plan(string method, string path, object? body, params string[] concerns)
    {
        var plan = await Ask(method, $"{path}?plan=true", body);
        Assert.Equal(concerns, plan.GetProperty("servers").EnumerateArray().Select(s => s.GetProperty("server").GetString()));
        return plan;
    }

    /// <summary>All that the changes of these tests could have touched.</summary>
    private async Task<string> Everything()
    {
        string[] paths = ["/api/v2/pvservers", "/api/v2/pvservers/byhand/history", "/api/v2/pvservers/byhand/commands", "/api/v2/commands", "/api/v2/sshroutes", "/api/v2/tokens?all=true", "/api/v2/runs", "/api/v2/settings", "/api/v2/settings/rabbitmq"];
        List<string> all = [];
        foreach (var path in paths)
        {
            all.Add((await admin.GetAsync(path).Json()).ToString());
        }

        return string.Join('\n', all);
    }

    private async Task<JsonElement> Ask(string method, string path, object? body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var (status, answer) = await Send(method, path, body);
        Assert.True(status == expected, $"{method} {path}: {status} {answer}");
        return answer;
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> Send(string method, string path, object? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : JsonContent.Create(body) };
        return await admin.SendAsync(request).Answer();
    }
}
