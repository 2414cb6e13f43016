using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Applies the numbered SQL files that a layer embeds under <c>…Migrations.NNNN_name.sql</c>, each once, in order of number, under an advisory lock.</summary>
public static class Migrator
{
    // Any number will do as long as nobody else uses it; "msmi" in ASCII.
    private const long LockKey = 0x6D736D69;

    /// <summary>Applies what is missing.</summary>
    /// <exception cref="InvalidOperationException">An applied file has been changed since: its checksum differs.</exception>
    public static async Task Apply(NpgsqlDataSource database, Assembly assembly, CancellationToken cancellationToken = default)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync("select pg_advisory_lock(@LockKey)", new { LockKey });
        try
        {
            await connection.ExecuteAsync("""
                create schema if not exists engine;
                create table if not exists engine.migration (
                    layer text not null, name text not null, checksum text not null,
                    applied_at timestamptz not null default now(), primary key (layer, name));
                """);
            var layer = assembly.GetName().Name!;
            var applied = (await connection.QueryAsync<(string Name, string Checksum)>(
                "select name, checksum from engine.migration where layer = @layer", new { layer })).ToDictionary(m => m.Name, m => m.Checksum);
            foreach (var (name, sql) in Scripts(assembly))
            {
                var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
                if (!applied.TryGetValue(name, out var known))
                {
                    await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                    await connection.ExecuteAsync(sql, transaction: transaction);
                    await connection.ExecuteAsync(
                        "insert into engine.migration (layer, name, checksum) values (@layer, @name, @checksum)", new { layer, name, checksum }, transaction);
                    await transaction.CommitAsync(cancellationToken);
                }
                else if (known != checksum)
                {
                    throw new InvalidOperationException(
                        $"Migration '{name}' of {layer} has been changed since it was applied to this database. Restore the file and put the change into a new one.");
                }
            }
        }
        finally
        {
            await connection.ExecuteAsync("select pg_advisory_unlock(@LockKey)", new { LockKey });
        }
    }

    private static IEnumerable<(string Name, string Sql)> Scripts(Assembly assembly) =>
        from resource in assembly.GetManifestResourceNames()
        where resource.EndsWith(".sql", StringComparison.Ordinal) && resource.Contains(".Migrations.", StringComparison.Ordinal)
        let name = resource[(resource.LastIndexOf(".Migrations.", StringComparison.Ordinal) + ".Migrations.".Length)..]
        orderby name
        select (name, Read(assembly, resource));

    private static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}
