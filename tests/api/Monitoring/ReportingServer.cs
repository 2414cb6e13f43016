using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Npgsql;

namespace ManagedServers.Tests.Monitoring;

/// <summary>Registered servers whose tokens the test knows: otherwise only their hosts do.</summary>
internal static class ReportingServer
{
    public static async Task<(IReadOnlyList<Guid> Servers, IReadOnlyList<string> Tokens)> Add(ProductProcess product, NpgsqlDataSource database, int count, string name = "reporting")
    {
        using var admin = product.Admin();
        var (servers, tokens) = (new List<Guid>(), new List<string>());
        await using var connection = await database.OpenConnectionAsync();
        for (var n = 0; n < count; n++)
        {
            var added = await admin.PostAsJsonAsync("/api/v2/pvservers", new { name = $"{name} {n}", installation = "manual" }).Json();
            servers.Add(added.GetProperty("id").GetGuid());
            tokens.Add($"ms_{name}_{servers[^1]:n}");
            await connection.ExecuteAsync("insert into access.token (id, account_id, name, hash) select @id, id, 'test', @hash from access.account where server_id = @server",
                new { id = Guid.CreateVersion7(), hash = SHA256.HashData(Encoding.UTF8.GetBytes(tokens[^1])), server = servers[^1] });
        }

        return (servers, tokens);
    }
}
