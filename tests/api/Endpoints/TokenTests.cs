using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace ManagedServers.Tests.Endpoints;

/// <summary>Tokens: how long they last, who sees them, and who ends them.</summary>
[Collection(WithSharedProduct.Name)]
public sealed class TokenTests(SharedProduct shared)
{
    private readonly ProductProcess product = shared.Product;

    [Theory]
    [InlineData("""{"name":"t"}""", 90)]
    [InlineData("""{"name":"t","expiresInDays":7}""", 7)]
    [InlineData("""{"name":"t","neverExpires":true}""", null)]
    public async Task A_token_ends_after_ninety_days_unless_another_time_or_none_is_asked_for(string request, int? days)
    {
        using var admin = product.Admin();
        var issued = await admin.PostAsJsonAsync("/api/v2/tokens", JsonSerializer.Deserialize<JsonElement>(request)).Json();
        var listed = (await admin.GetAsync("/api/v2/tokens").Json()).GetProperty("items").EnumerateArray().Single(t => t.GetProperty("id").GetString() == issued.GetProperty("id").GetString());
        if (days is { } lasts)
        {
            Assert.Equal(lasts, (listed.GetProperty("expiresAt").GetDateTimeOffset() - listed.GetProperty("createdAt").GetDateTimeOffset()).TotalDays, 0.01);
        }
        else
        {
            Assert.Equal(JsonValueKind.Null, listed.GetProperty("expiresAt").ValueKind);
        }

        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"/api/v2/tokens/{issued.GetProperty("id").GetString()}")).StatusCode);
    }

    [Theory]
    [InlineData("expiresInDays", """{"name":"t","expiresInDays":0}""")]
    [InlineData("neverExpires", """{"name":"t","expiresInDays":7,"neverExpires":true}""")]
    public async Task A_time_that_cannot_be_is_refused_by_its_field(string field, string request)
    {
        using var admin = product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/tokens", JsonSerializer.Deserialize<JsonElement>(request)).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(field, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task Everybody_sees_and_ends_their_own_tokens_and_an_administrator_everybodys()
    {
        await using var database = NpgsqlDataSource.Create(product.ConnectionString);
        var reader = await Reader(database);
        try
        {
            using var admin = product.Admin();
            using var ada = product.Client(new AuthenticationHeaderValue("Bearer", reader));
            var second = await ada.PostAsJsonAsync("/api/v2/tokens", new { name = "of ada" }).Json();
            var (mine, id) = (await admin.PostAsJsonAsync("/api/v2/tokens", new { name = "of the administrator" }).Json(), second.GetProperty("id").GetString());

            var own = (await ada.GetAsync("/api/v2/tokens").Json()).GetProperty("items");
            Assert.Equal([("of ada", "ada", false), ("first", "ada", true)], own.EnumerateArray().Select(t => (t.GetProperty("name").GetString(), t.GetProperty("account").GetString(), t.GetProperty("current").GetBoolean())));
            Assert.DoesNotContain(second.GetProperty("token").GetString()!, own.ToString(), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Forbidden, (await ada.GetAsync("/api/v2/tokens?all=true")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await ada.DeleteAsync($"/api/v2/tokens/{mine.GetProperty("id").GetString()}")).StatusCode);

            Assert.DoesNotContain("of ada", (await admin.GetAsync("/api/v2/tokens").Json()).ToString(), StringComparison.Ordinal);
            var all = (await admin.GetAsync("/api/v2/tokens?all=true").Json()).GetProperty("items").EnumerateArray().Select(t => t.GetProperty("name").GetString()).ToList();
            Assert.Equal(["first", "of ada", "of the administrator"], all.Where(n => n is "first" or "of ada" or "of the administrator").Order());

            using var revoked = product.Client(new AuthenticationHeaderValue("Bearer", second.GetProperty("token").GetString()));
            Assert.Equal(HttpStatusCode.OK, (await revoked.GetAsync("/api/v2/me")).StatusCode);
            Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"/api/v2/tokens/{id}")).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await revoked.GetAsync("/api/v2/me")).StatusCode);
            Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"/api/v2/tokens/{mine.GetProperty("id").GetString()}")).StatusCode);
        }
        finally
        {
            await using var connection = await database.OpenConnectionAsync();
            await connection.ExecuteAsync("delete from access.account where name = 'ada'");
        }
    }

    [Fact]
    public async Task A_token_of_a_server_is_nobodys_to_see_or_to_end()
    {
        using var admin = product.Admin();
        var server = await admin.PostAsJsonAsync("/api/v2/pvservers", new { name = "of-a-token", installation = "manual" }).Json();
        Assert.DoesNotContain("of-a-token", (await admin.GetAsync("/api/v2/tokens?all=true").Json()).ToString(), StringComparison.Ordinal);
        await using var database = NpgsqlDataSource.Create(product.ConnectionString);
        await using var connection = await database.OpenConnectionAsync();
        var id = await connection.QuerySingleAsync<Guid>("select t.id from access.token t join access.account a on a.id = t.account_id where a.server_id = @id", new { id = server.GetProperty("id").GetGuid() });
        Assert.Equal(HttpStatusCode.NotFound, (await admin.DeleteAsync($"/api/v2/tokens/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync("/api/v2/pvservers/of-a-token")).StatusCode);
    }

    /// <summary>Somebody who may only read, and the text of a token of theirs.</summary>
    private static async Task<string> Reader(NpgsqlDataSource database)
    {
        var text = "ms_" + Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            insert into access.account (id, name, groups) values (@account, 'ada', '{Global Read-Only}');
            insert into access.token (id, account_id, name, hash) values (@token, @account, 'first', @hash);
            """, new { account = Guid.NewGuid(), token = Guid.NewGuid(), hash = SHA256.HashData(Encoding.UTF8.GetBytes(text)) });
        return text;
    }
}
