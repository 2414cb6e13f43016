using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace ManagedServers.Tests;

/// <summary>The real product as a process of its own, with its private PostgreSQL in a folder of its own. Everything is gone after it.</summary>
public sealed class ProductProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly StringBuilder output = new();
    private readonly IReadOnlyList<IPEndPoint> listen;
    private Process? process;
    private SocketsHttpHandler? handler; // Shared by its clients: a handshake for each question would cost more than the answer.

    private ProductProcess(string dataFolder, IReadOnlyList<IPEndPoint> listen, IPAddress reachableFromHosts) =>
        (DataFolder, this.listen, ReachableFromHosts) = (dataFolder, listen, reachableFromHosts);

    public string DataFolder { get; }

    /// <summary>Where hosts reach it.</summary>
    public IPAddress ReachableFromHosts { get; }

    public Uri Address => new($"https://{listen[0]}");

    public string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    public string AdminPassword => File.ReadAllText(Path.Combine(DataFolder, "admin-password")).Trim();

    public string AuthorityFile => Path.Combine(DataFolder, "ca.pem");

    public int ProcessId => process!.Id;

    /// <param name="bridge">A second address to listen on, which lab hosts reach.</param>
    public static async Task<ProductProcess> Start(IPAddress? bridge = null)
    {
        var folder = Directory.CreateTempSubdirectory("managed-servers-test-");

        // The private PostgreSQL runs as another user and must get through.
        File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var own = FreePort.On(IPAddress.Loopback);
        var product = new ProductProcess(folder.FullName, bridge is null ? [own] : [own, FreePort.On(bridge)], bridge ?? IPAddress.Loopback);
        try
        {
            await product.Launch();
            return product;
        }
        catch
        {
            await product.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the process and waits until it serves.</summary>
    public async Task Launch()
    {
        process = Serve(listen);
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Until(() => File.Exists(Path.Combine(DataFolder, "ready")) || process.HasExited, "the product serves");
        if (process.HasExited)
        {
            throw new InvalidOperationException($"The product ended with {process.ExitCode}:\n{Output}");
        }
    }

    /// <summary>A second start on the same folder under the same name, by mistake; all that it says until it ends.</summary>
    public async Task<(int ExitCode, string Said)> ServeTwice(params string[] options)
    {
        using var second = Serve(options.Contains("--listen") ? [] : [FreePort.On(IPAddress.Loopback)], options);
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var said = await Task.WhenAll(second.StandardOutput.ReadToEndAsync(limit.Token), second.StandardError.ReadToEndAsync(limit.Token));
            await second.WaitForExitAsync(limit.Token);
            return (second.ExitCode, string.Concat(said));
        }
        finally
        {
            second.Kill();
        }
    }

    /// <summary>SIGKILL for the private PostgreSQL.</summary>
    public void KillPostgres() => _ = kill(PostgresId, 9);

    /// <summary>The process of the private PostgreSQL.</summary>
    public int PostgresId => int.Parse(File.ReadLines(Path.Combine(DataFolder, "postgres", "postmaster.pid")).First(), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>SIGKILL: no chance to say goodbye.</summary>
    public async Task Kill()
    {
        process!.Kill();
        await process.WaitForExitAsync();
        File.Delete(Path.Combine(DataFolder, "ready"));
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task<int> Stop()
    {
        _ = kill(process!.Id, 15);
        using var limit = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    /// <summary>A client signed in as the administrator, or as nobody, that trusts the product's authority alone.</summary>
    /// <param name="from">Address that the product sees the client at.</param>
    public HttpClient Client(AuthenticationHeaderValue? authorization, IPAddress? from = null) =>
        new(from is null ? handler ??= Handler(null) : Handler(from), disposeHandler: from is not null) { BaseAddress = Address, Timeout = Patience, DefaultRequestHeaders = { Authorization = authorization } };

    public HttpClient Admin() => Client(Basic("admin", AdminPassword));

    public static AuthenticationHeaderValue Basic(string name, string password) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));

    /// <summary>Of the private PostgreSQL, for a test that looks into it.</summary>
    public string ConnectionString => $"Host={SocketFolder};Username=postgres;Database=postgres;Password={File.ReadAllText(Path.Combine(DataFolder, "postgres-password")).Trim()}";

    private string SocketFolder => File.ReadLines(Path.Combine(DataFolder, "postgres", "postmaster.pid")).ElementAt(4);

    /// <summary>Everything in the database as text.</summary>
    public async Task<string> DumpDatabase()
    {
        var dump = new ProcessStartInfo("pg_dump", ["-h", SocketFolder, "-U", "postgres", "--inserts", "postgres"]) { RedirectStandardOutput = true };
        dump.Environment["PGPASSWORD"] = File.ReadAllText(Path.Combine(DataFolder, "postgres-password")).Trim();
        using var running = Process.Start(dump)!;
        var text = await running.StandardOutput.ReadToEndAsync();
        await running.WaitForExitAsync();
        return running.ExitCode == 0 ? text : throw new InvalidOperationException($"pg_dump ended with {running.ExitCode}.");
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await Stop();
        }

        handler?.Dispose();
        EndPostgres();
        process?.Dispose();
        Directory.Delete(DataFolder, recursive: true);
    }

    public static async Task Until(Func<bool> condition, string what, TimeSpan? patience = null) =>
        await Until(() => Task.FromResult(condition()), what, patience);

    public static async Task Until(Func<Task<bool>> condition, string what, TimeSpan? patience = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > (patience ?? Patience))
            {
                throw new TimeoutException($"Waited {watch.Elapsed.TotalSeconds:0} s until {what}.");
            }

            await Task.Delay(100);
        }
    }

    public static string Repository
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "ManagedServers.sln")))
            {
                folder = folder.Parent ?? throw new InvalidOperationException("The tests lie outside the repository.");
            }

            return folder.FullName;
        }
    }

    private Process Serve(IReadOnlyList<IPEndPoint> endpoints, params string[] more)
    {
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "managed-servers.dll"), "serve", "--data", DataFolder, "--images", Path.Combine(Repository, "artifacts", "images"), "--node", "test",
            "--api-address", $"https://{listen.First(l => l.Address.Equals(ReachableFromHosts))}",
            .. endpoints.SelectMany(l => new[] { "--listen", $"https://{l}" }), .. more,
        ];
        return Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
    }

    private SocketsHttpHandler Handler(IPAddress? from)
    {
        var authority = X509Certificate2.CreateFromPem(File.ReadAllText(AuthorityFile));
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                if (from is not null)
                {
                    socket.Bind(new IPEndPoint(from, 0));
                }

                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                {
                    chain!.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                    chain.ChainPolicy.CustomTrustStore.Add(authority);
                    chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                    return chain.Build((X509Certificate2)certificate!);
                },
            },
        };
    }

    /// <summary>After a kill nobody else stops it.</summary>
    private void EndPostgres()
    {
        var pidFile = Path.Combine(DataFolder, "postgres", "postmaster.pid");
        if (File.Exists(pidFile) && int.TryParse(File.ReadLines(pidFile).FirstOrDefault(), out var pid) && pid > 1)
        {
            _ = kill(pid, 3);
            SpinWait.SpinUntil(() => !File.Exists(pidFile), TimeSpan.FromSeconds(10));
        }
    }

    private void Append(string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);
}

/// <summary>Reading the API's answers.</summary>
public static class Answers
{
    public static async Task<JsonElement> Json(this Task<HttpResponseMessage> pending)
    {
        using var response = await pending;
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    public static async Task<(HttpStatusCode Status, JsonElement Body)> Answer(this Task<HttpResponseMessage> pending)
    {
        using var response = await pending;
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.StartsWith('{') || text.StartsWith('[') ? JsonDocument.Parse(text).RootElement : default);
    }
}
