using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Npgsql;

namespace ManagedServers.Tests.Monitoring;

/// <summary>What a host may send that is no host's: refused or handled, told why, never an internal error.</summary>
[Collection(WithSharedProduct.Name)]
public sealed class HostileReportTests(SharedProduct shared) : IAsyncLifetime
{
    private const string Beats = "/api/v2/monitoring/heartbeats";
    private const string Dns = "/api/v2/monitoring/dns";
    private readonly ProductProcess product = shared.Product;
    private readonly NpgsqlDataSource database = NpgsqlDataSource.Create(shared.Product.ConnectionString);
    private readonly List<HttpClient> hosts = [];
    private IReadOnlyList<Guid> servers = [];

    public async Task InitializeAsync()
    {
        (servers, var tokens) = await ReportingServer.Add(product, database, 2, "hostile");
        hosts.AddRange(tokens.Select(token => product.Client(new AuthenticationHeaderValue("Bearer", token))));
    }

    public async Task DisposeAsync()
    {
        using var admin = product.Admin();
        foreach (var server in servers)
        {
            using var removed = await admin.DeleteAsync($"/api/v2/pvservers/{server}?force=true");
        }

        hosts.ForEach(h => h.Dispose());
        await database.DisposeAsync();
    }

    [Fact]
    public async Task A_replayed_heartbeat_is_counted_once_and_one_with_another_servers_token_is_that_servers()
    {
        var report = Report(1);
        Assert.Equal((1, 0), await Accepted(hosts[0], Beats, report));
        Assert.Equal((0, 1), await Accepted(hosts[0], Beats, report));
        report["serverId"] = servers[0];
        Assert.Equal((1, 0), await Accepted(hosts[1], Beats, report));
        Assert.Equal((1, 1), (await BeatsOf(0), await BeatsOf(1)));
    }

    [Fact]
    public async Task The_token_of_a_server_that_was_removed_is_refused_soon_also_where_it_is_remembered()
    {
        Assert.Equal((1, 0), await Accepted(hosts[1], Beats, Report(1)));
        using var admin = product.Admin();
        (await admin.DeleteAsync($"/api/v2/pvservers/{servers[1]}?force=true")).EnsureSuccessStatusCode();
        await ProductProcess.Until(async () => (await hosts[1].PostAsJsonAsync(Beats, Report(2))).StatusCode == HttpStatusCode.Unauthorized, "the token is refused");
        Assert.Equal((1, 0), await Accepted(hosts[0], Beats, Report(1)));
    }

    [Fact]
    public async Task An_account_that_may_report_no_longer_is_refused_soon_also_where_it_is_remembered()
    {
        Assert.Equal((1, 0), await Accepted(hosts[1], Beats, Report(1)));
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("update access.account set groups = '{}' where server_id = @server", new { server = servers[1] });
        await ProductProcess.Until(async () => (await hosts[1].PostAsJsonAsync(Beats, Report(2))).StatusCode == HttpStatusCode.Forbidden, "the account is refused");
    }

    [Fact]
    public async Task Ten_megabytes_are_refused_with_the_limit_or_cut_off_where_their_length_is_not_told_before()
    {
        using var told = new HttpRequestMessage(HttpMethod.Post, Beats) { Content = Json(new MemoryStream(Large())), Headers = { ExpectContinue = true } };
        var (status, problem) = await hosts[0].SendAsync(told).Answer();
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too-large"), (status, problem.GetProperty("type").GetString()));
        Assert.Contains("at most 1 MiB", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        try
        {
            using var answer = await hosts[0].PostAsync(Beats, Json(new Unsized(Large())));
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }
        catch (HttpRequestException cut) when (cut.InnerException is IOException)
        {
            // It was still being sent.
        }

        Assert.Equal((1, 0), await Accepted(hosts[0], Beats, Report(1)));
    }

    public static TheoryData<string> NoReport => new(
        new string('[', 100_000), "{\"beats\":" + new string('[', 40) + new string(']', 40) + "}", string.Concat(Enumerable.Repeat("{\"beats\":", 30_000)), "NaN", "{\"epoch\":NaN}",
        "{\"beats\":[{\"uptimeSeconds\":NaN}]}", "{\"beats\":[{\"load\":[Infinity,1,1]}]}", "{\"beats\":[{\"load\":[\"NaN\",1,1]}]}", "{\"beats\":[{\"seq\":1e400}]}", "{\"beats\":[{\"seq\":99999999999999999999}]}",
        "", "null", "[]", "\"x\"", "{\"epoch\":\"\\ud800\"}", "{\"beats\":[{\"agentVersion\":\"\\u0000\"}]}", "{\"now\":\"9999-12-31T23:59:59.9999999+14:00\"}", "{\"now\":\"0001-01-01T00:00:00-14:00\"}");

    [Theory]
    [MemberData(nameof(NoReport))]
    public async Task What_is_no_report_is_refused_by_the_place_at_fault(string body)
    {
        foreach (var path in new[] { Beats, Dns })
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            var (status, problem) = await hosts[0].PostAsync(path, content).Answer();
            Assert.Equal((HttpStatusCode.BadRequest, "invalid-input"), (status, problem.GetProperty("type").GetString()));
            Assert.NotEmpty(problem.GetProperty("errors").EnumerateObject());
        }
    }

    [Fact]
    public async Task Every_member_with_every_odd_value_is_taken_or_refused_and_never_an_internal_error()
    {
        var odd = new[] { "null", "-1", "0", "1e308", "1e999", "9223372036854775808", "\"\"", "\"NaN\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\u202e\"", "[]", "[null]", "{}", "true", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"" };
        var seq = 100;
        foreach (var (path, whole) in new[] { (Beats, Whole()), (Dns, Samples(1, "www")) })
        {
            foreach (var member in Nodes(whole).Skip(1).Select(node => node.GetPath()))
            {
                foreach (var value in odd)
                {
                    var text = whole.ToJsonString().Replace("\"seq\":1", $"\"seq\":{seq++}", StringComparison.Ordinal);
                    text = With(JsonNode.Parse(text)!, member, value);
                    using var content = new StringContent(text, Encoding.UTF8, "application/json");
                    using var answer = await hosts[0].PostAsync(path, content);
                    Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.BadRequest, $"{path} {member}={value}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                }
            }
        }
    }

    [Fact]
    public async Task Names_with_every_byte_are_counted_as_they_are_written_in_a_zone_file_and_refused_raw()
    {
        var (seq, expected) = (0, new Dictionary<string, long>());
        for (var value = 0; value < 256; value++)
        {
            // As the monitor writes them: \ddd for all that is no ordinary character.
            var label = value is > ' ' and <= '~' and not ('.' or '\\' or '"' or '(' or ')' or ';' or '@' or '$') and not (>= 'A' and <= 'Z') ? $"x{(char)value}" : $"x\\{value:000}";
            Assert.Equal((1, 0), await Accepted(hosts[0], Dns, Samples(++seq, label)));
            expected[$"{label}.example.org."] = 1;

            // The byte itself, inside of JSON that may be none with it.
            var raw = Encoding.Latin1.GetBytes(Samples(1000 + value, "xraw").ToJsonString());
            raw[raw.AsSpan().IndexOf("raw"u8)] = (byte)value;
            using var content = new ByteArrayContent(raw) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var answer = await hosts[1].PostAsync(Dns, content);
            Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.BadRequest, $"byte {value}: {answer.StatusCode}");
            Assert.Equal(value is > ' ' and <= '~' and not ('"' or '\\') and not (>= 'A' and <= 'Z'), answer.StatusCode == HttpStatusCode.Accepted);
        }

        using var admin = product.Admin();
        var hits = (await admin.GetAsync($"/api/v2/pvservers/{servers[0]}/hits?limit=1000").Json()).GetProperty("items").EnumerateArray().ToDictionary(h => h.GetProperty("name").GetString()!, h => h.GetProperty("total").GetInt64());
        Assert.Equal(expected.OrderBy(e => e.Key, StringComparer.Ordinal), hits.OrderBy(h => h.Key, StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_clock_that_is_set_by_two_hours_both_ways_moves_no_beat()
    {
        var began = TimeProvider.System.GetUtcNow();
        var seq = 0;
        foreach (var ahead in new[] { 0, 2, 0, -2, 0 })
        {
            Assert.Equal((1, 0), await Accepted(hosts[0], Beats, Report(++seq, TimeSpan.FromHours(ahead))));
        }

        using var admin = product.Admin();
        var stored = (await admin.GetAsync($"/api/v2/pvservers/{servers[0]}/heartbeats").Json()).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([5, 4, 3, 2, 1], stored.Select(b => b.GetProperty("seq").GetInt32()));
        Assert.All(stored, b => Assert.InRange(b.GetProperty("sentAt").GetDateTimeOffset(), began.AddSeconds(-1), TimeProvider.System.GetUtcNow()));
        Assert.All(stored, b => Assert.False(b.GetProperty("late").GetBoolean()));
    }

    private static JsonObject Report(int seq, TimeSpan ahead = default)
    {
        var now = TimeProvider.System.GetUtcNow() + ahead;
        return new JsonObject { ["epoch"] = new string('e', 32), ["now"] = now, ["beats"] = new JsonArray(new JsonObject { ["seq"] = seq, ["sentAt"] = now }) };
    }

    private static JsonNode Whole()
    {
        var beat = JsonNode.Parse("""
            {"seq":1,"agentVersion":"2","uptimeSeconds":1.5,"load":[0.1,0.2,0.3],"cpu":{"user":0.1,"idle":0.9},"memory":{"totalBytes":2,"availableBytes":1,"freeBytes":1},"swap":{"totalBytes":0,"usedBytes":0},
             "disks":[{"mount":"/","totalBytes":2,"usedBytes":1,"inodesTotal":2,"inodesUsed":1}],"connections":{"tcpEstablished":1,"udp":1,"tcp":{"established":1}},"processes":7,
             "network":[{"interface":"eth0","receivedBytes":1,"sentBytes":1}],"docker":{"state":"running","version":"1"},"components":[{"name":"dns","version":"3","state":"running","image":"i"}]}
            """)!;
        beat["sentAt"] = TimeProvider.System.GetUtcNow();
        return new JsonObject { ["epoch"] = new string('d', 32), ["now"] = TimeProvider.System.GetUtcNow(), ["beats"] = new JsonArray(beat) };
    }

    private static JsonObject Samples(int seq, string label)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new JsonObject
        {
            ["epoch"] = new string('d', 32), ["now"] = now,
            ["samples"] = new JsonArray(new JsonObject
            {
                ["seq"] = seq, ["from"] = now.AddSeconds(-10), ["to"] = now, ["queries"] = 1, ["named"] = 1, ["other"] = 0, ["connected"] = true, ["responses"] = new JsonObject { ["NOERROR"] = 1 },
                ["names"] = new JsonArray(new JsonObject { ["zone"] = "example.org.", ["name"] = $"{label}.example.org.", ["type"] = "A", ["count"] = 1, ["last"] = now }),
            }),
        };
    }

    private static IEnumerable<JsonNode> Nodes(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(m => Nodes(m.Value)).Prepend(node),
        JsonArray items => items.SelectMany(Nodes).Prepend(node),
        null => [],
        _ => [node],
    };

    private static string With(JsonNode root, string path, string value)
    {
        const string Mark = "here it stands";
        Nodes(root).Single(node => node.GetPath() == path).ReplaceWith(Mark);
        return root.ToJsonString().Replace($"\"{Mark}\"", value, StringComparison.Ordinal);
    }

    private static StreamContent Json(Stream body) => new(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static byte[] Large() => Encoding.UTF8.GetBytes($$"""{"epoch":"{{new string('x', 10 * 1024 * 1024)}}"}""");

    private async Task<long> BeatsOf(int server)
    {
        using var admin = product.Admin();
        return (await admin.GetAsync($"/api/v2/pvservers/{servers[server]}/heartbeats").Json()).GetProperty("summary").GetProperty("total").GetInt64();
    }

    private static async Task<(int Count, int Duplicates)> Accepted(HttpClient host, string path, JsonObject report)
    {
        var (status, answer) = await host.PostAsJsonAsync(path, report).Answer();
        return status == HttpStatusCode.Accepted ? (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("duplicate").GetInt32()) : throw new InvalidOperationException($"{status}: {answer}");
    }

    /// <summary>Of a length that nobody knows before: sent in chunks.</summary>
    private sealed class Unsized(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
