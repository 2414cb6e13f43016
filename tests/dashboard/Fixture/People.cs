using Dapper;
using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Identity;
using Npgsql;

namespace ManagedServers.Dashboard.Tests;

/// <summary>Accounts to sign in with. All but the first are written into the table, because the product has no way to add people yet.</summary>
public sealed class People(NpgsqlDataSource database, string adminPassword)
{
    public (string Name, string Password) Admin => ("admin", adminPassword);

    public async Task<(string Name, string Password)> Add(string name, string group)
    {
        const string password = "a password for one test";
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync(
            "insert into access.account (id, name, groups, password_hash) values (@id, @name, @groups, @hash) on conflict do nothing",
            new { id = Guid.CreateVersion7(), name, groups = new[] { group }, hash = new PasswordHasher<Account>().HashPassword(null!, password) });
        return (name, password);
    }

    /// <summary>Moves somebody to another group, as an administrator would.</summary>
    public async Task Move(string name, string group)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("update access.account set groups = @groups where name = @name", new { name, groups = new[] { group } });
    }
}
