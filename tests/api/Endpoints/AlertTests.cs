using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using ManagedServers.Workflows.Tests.Alerts;
using Npgsql;

namespace ManagedServers.Tests.Endpoints;

/// <summary>Alerts of the whole product: a beat comes in, and a webhook hears of it.</summary>
public sealed class AlertTests
{
    private const string Token = "ms_0123456789012345678901234567890123456789abc";
    private long seq;

    [Fact]
    public async Task A_webhook_hears_once_of_what_fires_and_once_that_it_is_over_though_the_product_is_killed_in_between()
    {
        await using var product = await ProductProcess.Start();
        await using var receiver = await Receiver.Start();
        using var admin = product.Admin();
        await Ask(admin, "PATCH", "/api/v2/settings/alerts", new { evaluationIntervalSeconds = 5 });
        await Installed(product, admin, "ns1");
        await Ask(admin, "POST", "/api/v2/alerts/channels", new { name = "hook", kind = "webhook", url = receiver.Url, secret = "word-that-signs-webhooks" }, HttpStatusCode.Created);
        await Ask(admin, "POST", "/api/v2/alerts/rules", new { name = "full", kind = "threshold", metric = "disk.used", of = "disk.total", comparison = "above", value = 0.5, forSeconds = 0 }, HttpStatusCode.Created);

        // Nobody takes it before the product is killed.
        receiver.Refusing = true;
        await Beat(product, 60);
        await ProductProcess.Until(() => receiver.Refused > 0, "the webhook was tried");
        await product.Kill();
        receiver.Refusing = false;
        await product.Launch();
        await ProductProcess.Until(() => receiver.All.Count == 1, "the webhook hears of the alert");
        using var again = product.Admin();
        var alert = (await Ask(again, "GET", "/api/v2/alerts?server=ns1")).GetProperty("items").EnumerateArray().Single();
        Assert.Equal(("firing", "full", "/", true), (Text(alert, "state"), Text(alert, "rule"), Text(alert, "label"), alert.GetProperty("notified").GetBoolean()));

        await ProductProcess.Until(async () =>
        {
            await Beat(product, 10);
            return receiver.All.Count > 1;
        }, "the webhook hears that it is over");
        Assert.Equal([["firing full ns1"], ["resolved full ns1"]], receiver.All.Select(r => r.Alerts));
        Assert.Empty((await Ask(again, "GET", "/api/v2/alerts?server=ns1")).GetProperty("items").EnumerateArray());
        Assert.DoesNotContain("word-in-the-address", await product.DumpDatabase() + product.Output + await Ask(again, "GET", "/api/v2/alerts/channels"), StringComparison.Ordinal);
        Assert.DoesNotContain("word-that-signs-webhooks", await product.DumpDatabase() + product.Output, StringComparison.Ordinal);

        await Answers(again);
    }

    /// <summary>What else is asked over the API.</summary>
    private static async Task Answers(HttpClient admin)
    {
        Assert.Equal("nothing-installed", Text(await Ask(admin, "GET", "/api/v2/pvservers/empty/health", null, HttpStatusCode.Conflict), "type"));
        Assert.Equal(1, (await Ask(admin, "GET", "/api/v2/monitoring/health")).GetProperty("items").GetArrayLength());
        Assert.Equal(18, (await Ask(admin, "GET", "/api/v2/alerts/rules")).GetProperty("items").GetArrayLength());
        var preview = await Ask(admin, "POST", "/api/v2/alerts/rules/full/preview", new { value = 0.05 });
        Assert.Equal((1, "disk.used/disk.total of / is 10 % (above 5 %)"), (preview.GetProperty("total").GetInt32(), Text(preview.GetProperty("items")[0], "summary")));

        var plan = await Ask(admin, "PATCH", "/api/v2/alerts/rules/full?plan=true", new { enabled = false });
        Assert.Equal("enabled", Text(plan.GetProperty("changes")[0], "thing"));
        Assert.Equal("alert-rule-not-found", Text(await Ask(admin, "GET", "/api/v2/alerts/rules/nothing", null, HttpStatusCode.NotFound), "type"));
        Assert.Equal("channel-not-found", Text(await Ask(admin, "POST", "/api/v2/alerts/channels/nothing/test", null, HttpStatusCode.NotFound), "type"));
        Assert.True((await Ask(admin, "POST", "/api/v2/alerts/channels/hook/test")).GetProperty("ok").GetBoolean());
        Assert.True((await Ask(admin, "POST", "/api/v2/alerts/rules", new { name = "x", kind = "sometimes" }, HttpStatusCode.BadRequest)).GetProperty("errors").TryGetProperty("kind", out _));
        Assert.True((await Ask(admin, "GET", "/api/v2/alerts?state=bad", null, HttpStatusCode.BadRequest)).GetProperty("errors").TryGetProperty("state", out _));

        var window = await Ask(admin, "POST", "/api/v2/alerts/maintenance", new { server = "ns1", to = "2999-01-01T00:00:00Z" }, HttpStatusCode.BadRequest);
        Assert.True(window.GetProperty("errors").TryGetProperty("to", out _));
        window = await Ask(admin, "POST", "/api/v2/alerts/maintenance", new { server = "ns1", to = TimeProvider.System.GetUtcNow().AddHours(1), note = "new disks" }, HttpStatusCode.Created);
        Assert.NotEqual(JsonValueKind.Null, (await Ask(admin, "GET", "/api/v2/pvservers/ns1/health")).GetProperty("maintenanceUntil").ValueKind);
        await Ask(admin, "DELETE", $"/api/v2/alerts/maintenance/{Text(window, "id")}", null, HttpStatusCode.NoContent);
        await Ask(admin, "DELETE", "/api/v2/alerts/channels/hook", null, HttpStatusCode.NoContent);
        await Ask(admin, "DELETE", "/api/v2/alerts/rules/full", null, HttpStatusCode.NoContent);
    }

    /// <summary>As an install leaves it, with a token that the test knows.</summary>
    private static async Task Installed(ProductProcess product, HttpClient admin, string name)
    {
        await Ask(admin, "POST", "/api/v2/pvservers", new { name = "empty", installation = "manual" }, HttpStatusCode.Created);
        var id = Guid.Parse(Text(await Ask(admin, "POST", "/api/v2/pvservers", new { name, installation = "manual" }, HttpStatusCode.Created), "id")!);
        await using var database = new NpgsqlConnection(product.ConnectionString);
        await database.ExecuteAsync(
            """
            insert into servers.component (server_id, name, version, image) values (@id, 'dns', '1', 'image');
            insert into access.token (id, account_id, name, hash) select gen_random_uuid(), a.id, 'test', sha256(convert_to(@Token, 'UTF8')) from access.account a where a.server_id = @id;
            """, new { id, Token });
    }

    private async Task Beat(ProductProcess product, int percent)
    {
        using var agent = product.Client(new AuthenticationHeaderValue("Bearer", Token));
        var now = TimeProvider.System.GetUtcNow();
        await Ask(agent, "POST", "/api/v2/monitoring/heartbeats", new
        {
            epoch = "00112233445566778899aabbccddeeff", now, beats = new[] { new { seq = ++seq, sentAt = now, disks = new[] { new { mount = "/", totalBytes = 100, usedBytes = percent, inodesTotal = 10, inodesUsed = 1 } } } },
        }, HttpStatusCode.Accepted);
    }

    private static string? Text(JsonElement of, string member) => of.GetProperty(member).GetString();

    private static async Task<JsonElement> Ask(HttpClient client, string method, string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : JsonContent.Create(body) };
        var (status, answer) = await client.SendAsync(request).Answer();
        Assert.True(status == expected, $"{method} {path}: {status} {answer}");
        return answer;
    }
}
