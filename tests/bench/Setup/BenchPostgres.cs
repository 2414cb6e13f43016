using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ManagedServers.Engine;
using Npgsql;

namespace ManagedServers.Bench.Setup;

/// <summary>A private PostgreSQL from the installed binaries, with its defaults (fsync on), on a Unix socket; gone afterwards.</summary>
internal sealed partial class BenchPostgres : IAsyncDisposable
{
    // PostgreSQL refuses to run as root; Debian's package brings this user.
    private const string SystemUser = "postgres";
    private const string Template = "engine_template";
    private const string PgBenchDatabase = "pgbench";
    private const int PgBenchScale = 16; // one branch a client, as its manual asks

    private readonly string folder;
    private readonly string binaries;
    private int databases;

    private BenchPostgres(string folder) => (this.folder, binaries) = (folder, FindBinaries());

    private string Cluster => Path.Combine(folder, "postgres");

    public int Pid => int.Parse(File.ReadLines(Path.Combine(Cluster, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    public static async Task<BenchPostgres> Start(string folder)
    {
        var postgres = new BenchPostgres(folder);
        await Run("install", [.. Environment.IsPrivilegedProcess ? ["-o", SystemUser] : Array.Empty<string>(), "-d", "-m", "0755", folder]);
        await postgres.Tool("initdb", "-D", postgres.Cluster, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust");
        // max_wal_size: filling a million runs would otherwise be one checkpoint after another, and the measuring after it too.
        await File.AppendAllTextAsync(Path.Combine(postgres.Cluster, "postgresql.conf"), $"""

            listen_addresses = ''
            unix_socket_directories = '{postgres.Cluster}'
            max_connections = 300
            max_wal_size = 8GB
            log_min_messages = warning

            """);
        await postgres.Tool("pg_ctl", "start", "-w", "-t", "60", "-D", postgres.Cluster, "-l", Path.Combine(postgres.Cluster, "server.log"));
        await postgres.MakeTemplate();
        await postgres.Execute("postgres", $"create database {PgBenchDatabase}");
        await postgres.Tool("pgbench", "-h", postgres.Cluster, "-U", "postgres", "-i", "-q", "-s", PgBenchScale.ToString(CultureInfo.InvariantCulture), PgBenchDatabase);
        return postgres;
    }

    /// <summary>A fresh database with the engine's and Hangfire's tables.</summary>
    public async Task<string> NewDatabase()
    {
        var name = $"b{++databases}";
        await Execute("postgres", $"create database {name} template {Template}");
        return ConnectionString(name);
    }

    /// <summary>Transactions per second of <c>pgbench -N</c>.</summary>
    public async Task<double> PgBench(int clients, int seconds)
    {
        var said = await Tool("pgbench", "-h", Cluster, "-U", "postgres", "-n", "-N", "-c", $"{clients}", "-j", $"{Math.Min(2, clients)}", "-T", $"{seconds}", PgBenchDatabase);
        return double.Parse(Tps().Match(said).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    public async Task Execute(string databaseOrConnection, string sql)
    {
        var connectionString = databaseOrConnection.Contains('=', StringComparison.Ordinal) ? databaseOrConnection : ConnectionString(databaseOrConnection);
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await Tool("pg_ctl", "stop", "-m", "immediate", "-w", "-D", Cluster);
        Directory.Delete(folder, recursive: true);
    }

    private string ConnectionString(string database) => new NpgsqlConnectionStringBuilder { Host = Cluster, Username = "postgres", Database = database }.ConnectionString;

    private async Task MakeTemplate()
    {
        await Execute("postgres", $"create database {Template}");
        await using (var node = await BenchNode.Start(ConnectionString(Template) + ";Pooling=false", "template", workers: 0))
        {
            node.Hangfire.Storage.GetConnection().Dispose();
            node.Hangfire.DropConnections();
        }
    }

    private Task<string> Tool(string program, params string[] arguments) => Environment.IsPrivilegedProcess
        ? Run("setpriv", [$"--reuid={SystemUser}", $"--regid={SystemUser}", "--clear-groups", "--", Path.Combine(binaries, program), .. arguments])
        : Run(Path.Combine(binaries, program), arguments);

    private static async Task<string> Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        // The daemon that pg_ctl leaves behind writes to a file of its own, but keeps the pipes: the process is waited for, not their end.
        var said = new System.Text.StringBuilder();
        void Keep(string? line) { lock (said) { said.AppendLine(line); } }
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        while (!process.HasExited)
        {
            await Task.Delay(10);
        }

        await Task.Delay(50);
        return process.ExitCode == 0 ? said.ToString() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {said}");
    }

    private static string FindBinaries() => Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin"))
        .Where(d => File.Exists(Path.Combine(d, "pgbench"))).OrderByDescending(d => d).FirstOrDefault()
        ?? throw new InvalidOperationException("No PostgreSQL with pgbench is installed (looked in /usr/lib/postgresql). Install the package 'postgresql'.");

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex Tps();
}
