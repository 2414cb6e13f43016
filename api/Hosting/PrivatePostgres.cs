using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace ManagedServers.Api.Hosting;

/// <summary>
/// The product's own PostgreSQL, from the installed binaries, reachable through a Unix socket only. It outlives a killed product: the next start adopts it.
/// </summary>
public sealed class PrivatePostgres
{
    // PostgreSQL refuses to run as root.
    private const string SystemUser = "managed-servers-db";
    private readonly string folder;
    private readonly string socketFolder;
    private readonly string passwordFile;
    private readonly string lockFile;
    private readonly string binaries;

    private PrivatePostgres(string dataFolder)
    {
        folder = Path.Combine(dataFolder, "postgres");
        passwordFile = Path.Combine(dataFolder, "postgres-password");
        lockFile = Path.Combine(dataFolder, "postgres.lock");
        binaries = FindBinaries();

        // A socket's path holds 107 bytes at most, and data folders may lie deep.
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(dataFolder))))[..12];
        socketFolder = Path.Combine("/tmp", $"managed-servers-{id}");
    }

    public string ConnectionString => new NpgsqlConnectionStringBuilder
    {
        Host = socketFolder, Username = "postgres", Database = "postgres", Password = File.ReadAllText(passwordFile).Trim(),
    }.ConnectionString;

    /// <summary>Makes the cluster when there is none, starts it when it does not run, adopts it when it does.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or did not start; says why and what to do.</exception>
    public static async Task<PrivatePostgres> Start(string dataFolder, CancellationToken cancellationToken = default)
    {
        var postgres = new PrivatePostgres(dataFolder);
        await using var turn = await StartLock.Take(postgres.lockFile, cancellationToken);
        await postgres.EnsureFolders(cancellationToken);
        if (!File.Exists(Path.Combine(postgres.folder, "PG_VERSION")))
        {
            await postgres.Initialise(cancellationToken);
        }

        await postgres.EnsureRuns(cancellationToken);
        return postgres;
    }

    /// <summary>Starts it when it has ended: killed for want of memory, or by hand.</summary>
    /// <returns>Whether it had.</returns>
    public async Task<bool> Revive(CancellationToken cancellationToken)
    {
        if (await Answers(cancellationToken))
        {
            return false;
        }

        await using var turn = await StartLock.Take(lockFile, cancellationToken);
        return await EnsureRuns(cancellationToken);
    }

    /// <summary>Stops it, unless somebody else works with it.</summary>
    /// <param name="session">The application name of this process's connections; no other process has it.</param>
    public async Task Stop(string session)
    {
        await using (var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false"))
        {
            await connection.OpenAsync();
            await using var others = new NpgsqlCommand(
                "select count(*) from pg_stat_activity where application_name like 'managed-servers/%' and application_name <> $1", connection)
            {
                Parameters = { new() { Value = session } },
            };
            if ((long)(await others.ExecuteScalarAsync())! > 0)
            {
                return;
            }
        }

        await Execute("pg_ctl", ["stop", "-m", "fast", "-w", "-t", "30", "-D", folder], CancellationToken.None);
        if (Directory.Exists(socketFolder) && !Directory.EnumerateFileSystemEntries(socketFolder).Any())
        {
            Directory.Delete(socketFolder);
        }
    }

    private async Task<bool> EnsureRuns(CancellationToken cancellationToken)
    {
        var status = await Execute("pg_ctl", ["status", "-D", folder], cancellationToken);
        if (status.ExitCode == 0)
        {
            return false;
        }

        await Check("pg_ctl", ["start", "-w", "-t", "60", "-D", folder, "-l", Path.Combine(folder, "server.log")], cancellationToken);
        return true;
    }

    private async Task<bool> Answers(CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(socketFolder, ".s.PGSQL.5432")), cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task Initialise(CancellationToken cancellationToken)
    {
        if (!File.Exists(passwordFile))
        {
            await PrivateFile.Write(passwordFile, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)) + "\n", cancellationToken);
        }

        // Made aside and renamed, so that a start that was killed half-way leaves no half cluster behind.
        var made = folder + ".new";
        await Own("rm", ["-rf", "--", made], cancellationToken);
        await Own("install", [.. Owner, "-d", "-m", "0700", made], cancellationToken);

        // initdb runs as another user, who can open neither this process's pipes nor its files.
        var readable = Path.Combine(socketFolder, "first-password");
        await Own("install", [.. Owner, "-m", "0400", passwordFile, readable], cancellationToken);
        try
        {
            await Check("initdb", ["-D", made, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", $"--pwfile={readable}"], cancellationToken);
        }
        finally
        {
            File.Delete(readable);
        }

        await File.AppendAllTextAsync(Path.Combine(made, "postgresql.conf"), $"""

            listen_addresses = ''
            unix_socket_directories = '{socketFolder}'
            unix_socket_permissions = 0700
            max_connections = 300
            log_min_messages = warning

            """, cancellationToken);
        Directory.Move(made, folder);
    }

    private async Task EnsureFolders(CancellationToken cancellationToken)
    {
        if (Environment.IsPrivilegedProcess)
        {
            if ((await Run("getent", ["passwd", SystemUser], cancellationToken)).ExitCode != 0)
            {
                await Own("useradd", ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SystemUser], cancellationToken);
            }

            await RefuseHiddenParents(cancellationToken);
        }

        await Own("install", [.. Owner, "-d", "-m", "0700", socketFolder], cancellationToken);
    }

    private async Task RefuseHiddenParents(CancellationToken cancellationToken)
    {
        var parent = Path.GetDirectoryName(folder)!;
        var reached = await Run("setpriv", [.. AsSystemUser, "--", "test", "-x", parent], cancellationToken);
        if (reached.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"The private PostgreSQL runs as the user {SystemUser}, who cannot enter {parent} (one of its parent folders is closed to others). "
                + "Choose another place with --data, for example /var/lib/managed-servers-product, or let others pass through with chmod o+x.");
        }
    }

    private static string[] Owner => Environment.IsPrivilegedProcess ? ["-o", SystemUser] : [];

    private static string[] AsSystemUser => [$"--reuid={SystemUser}", $"--regid={SystemUser}", "--clear-groups"];

    private Task<Output> Execute(string program, string[] arguments, CancellationToken cancellationToken) =>
        Environment.IsPrivilegedProcess
            ? Run("setpriv", [.. AsSystemUser, "--", Path.Combine(binaries, program), .. arguments], cancellationToken)
            : Run(Path.Combine(binaries, program), arguments, cancellationToken);

    private async Task Check(string program, string[] arguments, CancellationToken cancellationToken) =>
        Expect(program, await Execute(program, arguments, cancellationToken));

    private async Task Own(string program, string[] arguments, CancellationToken cancellationToken) =>
        Expect(program, await Run(program, arguments, cancellationToken));

    private void Expect(string program, Output output)
    {
        if (output.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"The private PostgreSQL in {folder} could not be prepared: {program} ended with {output.ExitCode}: {output.Text.Trim()}. "
                + $"Its own log is {Path.Combine(folder, "server.log")}. A database of your own can be used instead with --database.");
        }
    }

    private static string FindBinaries() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "initdb")))
                .OrderByDescending(d => int.TryParse(Path.GetFileName(Path.GetDirectoryName(d)), out var v) ? v : 0).FirstOrDefault() ?? throw NotInstalled()
            : throw NotInstalled();

    private static InvalidOperationException NotInstalled() =>
        new("No PostgreSQL server is installed (looked in /usr/lib/postgresql). Install the package 'postgresql', or name a database of your own with --database.");

    private sealed record Output(int ExitCode, string Text);

    private static async Task<Output> Run(string program, string[] arguments, CancellationToken cancellationToken)
    {
        // The daemon that pg_ctl leaves behind keeps inherited pipes open, so output goes to a file of its own there (-l) and the pipes are read until the child exits.
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        var text = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(text, line.Data);
        process.ErrorDataReceived += (_, line) => Append(text, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        while (!process.HasExited)
        {
            await Task.Delay(20, cancellationToken);
        }

        return new Output(process.ExitCode, text.ToString());
    }

    private static void Append(StringBuilder text, string? line)
    {
        lock (text)
        {
            text.AppendLine(line);
        }
    }
}
