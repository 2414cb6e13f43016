using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A product, and a lab host on which it has no login: whatever happens there is done by the line.</summary>
public sealed class ManualHost : IAsyncDisposable
{
    // Types the token when it is asked for, as a person would: what comes before the question is thrown away by the terminal.
    private const string Terminal =
        """
        import os, pty, sys
        token, more, stop_at = sys.argv[1].encode(), sys.argv[2], sys.argv[3].encode()
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("sh", ["sh", "-c", open("/root/line").read() + " " + more])
        shown, asked = b"", False
        while True:
            try:
                part = os.read(terminal, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
            if not asked and b"Enrolment token" in shown:
                os.write(terminal, token + b"\n")
                asked = True
            if stop_at and stop_at in shown:
                os.write(terminal, b"\x03")
                stop_at = b""
        status = os.waitpid(child, 0)[1]
        sys.stdout.write(shown.decode())
        sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)
        """;

    private ManualHost(ProductProcess product, LabHost lab) => (Product, Lab) = (product, lab);

    public ProductProcess Product { get; }

    public LabHost Lab { get; }

    public static async Task<ManualHost> Start(LabOptions? options = null)
    {
        var lab = await LabHost.Start(options);
        try
        {
            var host = new ManualHost(await ProductPool.Borrow(IPAddress.Parse(lab.Gateway)), lab);
            var added = await host.Post("/api/v2/pvservers", new { name = "ns1", installation = "manual" });
            Assert.True(added.TryGetProperty("state", out var state) && state.GetString() == "new", added.ToString());
            await lab.Run($"cat > /root/terminal.py <<'END'\n{Terminal}\nEND");
            return host;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>The run, and what is to be taken to the host.</summary>
    public async Task<(Guid Run, string Line, string Token)> Begin(string verb, object body)
    {
        var started = await Post($"/api/v2/pvservers/ns1/{verb}", body);
        Assert.True(started.TryGetProperty("enrolment", out var enrolment), started.ToString());
        return (started.GetProperty("runId").GetGuid(), enrolment.GetProperty("line").GetString()!, enrolment.GetProperty("token").GetString()!);
    }

    /// <summary>Pastes the line on a terminal of the host, and types the token if it is asked for.</summary>
    /// <param name="more">At the end of the line.</param>
    /// <param name="stopAt">Presses Ctrl-C when this is shown.</param>
    public async Task<LabOutput> Paste(string line, string token = "", string more = "", string stopAt = "")
    {
        await Lab.Run($"cat > /root/line <<'END'\n{line}\nEND\ntruncate -s -1 /root/line");
        return await Lab.TryRun($"python3 /root/terminal.py '{token}' '{more}' '{stopAt}'");
    }

    /// <summary>The SHA-256 of the archives that the product gives out.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> Images()
    {
        Dictionary<string, string> found = [];
        foreach (var component in new[] { "dns", "monitor" })
        {
            var folder = Path.Combine(ProductProcess.Repository, "artifacts", "images");
            var archive = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, component + ".json"))).RootElement.GetProperty("archive").GetString()!;
            found[component] = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(folder, archive))));
        }

        return found;
    }

    public async Task<JsonElement> Post(string path, object body)
    {
        using var admin = Product.Admin();
        return await admin.PostAsJsonAsync(path, body).Json();
    }

    public async Task<JsonElement> Get(string path)
    {
        using var admin = Product.Admin();
        return await admin.GetAsync(path).Json();
    }

    public Task<JsonElement> Run(Guid id) => Get($"/api/v2/runs/{id}");

    public async Task<JsonElement> Until(Guid id, string state)
    {
        JsonElement run = default;
        try
        {
            await ProductProcess.Until(async () => RegisteredHost.State(run = await Run(id)) == state, $"run {id} is {state}");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{RegisteredHost.Story(run)}");
        }

        return run;
    }

    public async Task<string> Www()
    {
        var client = new LookupClient(new LookupClientOptions(IPAddress.Parse(Lab.Address)) { UseCache = false, Recursion = false, Retries = 2, Timeout = TimeSpan.FromSeconds(3) });
        return (await client.QueryAsync("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await ProductPool.Return(Product);
        await Lab.DisposeAsync();
    }
}
