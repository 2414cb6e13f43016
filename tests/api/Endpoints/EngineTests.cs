using System.Net;
using System.Net.Http.Json;

namespace ManagedServers.Tests.Endpoints;

/// <summary>Kinds, nodes, selections and schedules, as an operator reaches them.</summary>
[Collection(WithSharedProduct.Name)]
public sealed class EngineTests(SharedProduct shared)
{
    private readonly ProductProcess product = shared.Product;

    [Fact]
    public async Task A_kind_is_paused_limited_and_resumed_and_the_audit_says_by_whom()
    {
        using var admin = product.Admin();
        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsJsonAsync("/api/v2/engine/kinds/install/pause", new { reason = "freeze" })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsJsonAsync("/api/v2/engine/kinds/install/limit", new { atOnce = 3 })).StatusCode);
        var kind = (await admin.GetAsync("/api/v2/engine/kinds").Json()).EnumerateArray().Single(k => k.GetProperty("kind").GetString() == "install");
        Assert.Equal(("admin", "freeze", 3), (kind.GetProperty("pausedBy").GetString(), kind.GetProperty("pausedWhy").GetString(), kind.GetProperty("atOnce").GetInt32()));

        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsJsonAsync("/api/v2/engine/kinds/install/resume", new { })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsJsonAsync("/api/v2/engine/kinds/install/limit", new { })).StatusCode);
        var (again, why) = await admin.PostAsJsonAsync("/api/v2/engine/kinds/install/resume", new { }).Answer();
        var (none, _) = await admin.PostAsJsonAsync("/api/v2/engine/kinds/no-such/pause", new { }).Answer();

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict), (again, none));
        Assert.Contains("is not paused", why.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var audit = (await admin.GetAsync("/api/v2/engine/audit").Json()).EnumerateArray().Take(4).Select(a => a.GetProperty("what").GetString());
        Assert.Equal(["unlimited", "resumed", "limited to 3", "paused"], audit);
    }

    [Fact]
    public async Task A_node_is_drained_and_let_go_on()
    {
        using var admin = product.Admin();
        var name = (await admin.GetAsync("/api/v2/engine/nodes").Json())[0].GetProperty("name").GetString();

        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsJsonAsync($"/api/v2/engine/nodes/{name}/drain", new { })).StatusCode);
        Assert.True((await admin.GetAsync("/api/v2/engine/nodes").Json())[0].GetProperty("draining").GetBoolean());
        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsJsonAsync($"/api/v2/engine/nodes/{name}/undrain", new { })).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await admin.PostAsJsonAsync("/api/v2/engine/nodes/no-such/drain", new { })).StatusCode);
    }

    [Fact]
    public async Task An_action_on_every_run_there_is_is_refused()
    {
        using var admin = product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/runs/actions", new { action = "cancel" }).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.True(problem.GetProperty("errors").TryGetProperty("state", out _));

        var none = await (await admin.PostAsJsonAsync("/api/v2/runs/actions", new { action = "retry", state = new[] { "paused" }, kind = "no-such" })).Content.ReadFromJsonAsync<System.Text.Json.JsonElement>();
        Assert.Equal((0, false), (none.GetProperty("outcomes").GetArrayLength(), none.GetProperty("more").GetBoolean()));
    }

    [Fact]
    public async Task A_schedule_that_breaks_a_rule_names_its_fields_and_an_unknown_one_is_told_as_such()
    {
        using var admin = product.Admin();
        var settings = new { name = "nightly", title = "Every night", kind = "install", input = new { }, cron = "61 * * * *" };

        var (status, problem) = await admin.PutAsJsonAsync("/api/v2/schedules/nightly", new { settings }).Answer();
        var (other, _) = await admin.PutAsJsonAsync("/api/v2/schedules/another", new { settings }).Answer();
        var (missing, _) = await admin.PostAsJsonAsync("/api/v2/schedules/no-such/run", new { }).Answer();

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest, HttpStatusCode.NotFound), (status, other, missing));
        Assert.True(problem.GetProperty("errors").TryGetProperty("cron", out _), problem.ToString());
        Assert.Equal(["check-drift"], (await admin.GetAsync("/api/v2/schedules").Json()).EnumerateArray().Select(s => s.GetProperty("name").GetString()));
    }
}
