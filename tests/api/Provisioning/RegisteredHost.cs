using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DnsClient;
using ManagedServers.Lab;

namespace ManagedServers.Tests.Provisioning;

/// <summary>A product, a lab host, and the host registered in the product: what an operator has before the first install.</summary>
public sealed class RegisteredHost : IAsyncDisposable
{
    public const string Zone =
        """
        $ORIGIN example.org.
        $TTL 300
        @    SOA ns1 hostmaster 1 3600 900 604800 300
        @    NS  ns1
        ns1  A   192.0.2.1
        www  A   192.0.2.2
        www  AAAA 2001:db8::2
        """;

    private static readonly string[] Ended = ["succeeded", "failed", "cancelled", "paused"];
    private readonly LabUser? user;
    private bool alone;

    private RegisteredHost(ProductProcess product, LabHost lab, LabUser? user = null) => (Product, Lab, this.user) = (product, lab, user);

    public ProductProcess Product { get; }

    public LabHost Lab { get; }

    /// <summary>The jump hosts before it; null where the product reaches it directly.</summary>
    public LabJumps? Jumps { get; private init; }

    /// <param name="user">As whom the product signs in, and whom the host is given; root by default.</param>
    /// <param name="alone">In a product of its own, because something of the test stays in it.</param>
    public static async Task<RegisteredHost> Start(LabOptions? options = null, LabUser? user = null, bool alone = false)
    {
        options ??= new LabOptions();
        var lab = await LabHost.Start(user is null ? options : options with { Users = [.. options.Users, user] });
        var gateway = IPAddress.Parse(lab.Gateway);
        var product = await (alone ? ProductProcess.Start(gateway) : ProductPool.Borrow(gateway));
        return await OrNothing(new RegisteredHost(product, lab, user) { alone = alone }, host => host.Add());
    }

    /// <summary>A host that the product reaches through two jump hosts, registered with the route 'dmz'.</summary>
    public static async Task<RegisteredHost> StartBehindJumps()
    {
        var jumps = await LabJumps.Start();
        return await OrNothing(new RegisteredHost(await ProductProcess.Start(IPAddress.Parse(jumps.First.Gateway)), jumps.Target) { Jumps = jumps, alone = true }, async host =>
        {
            await host.AddRoute();
            await host.Add("dmz");
        });
    }

    /// <summary>What the route's hops are, as an operator gives them.</summary>
    public object[] Hops(params string?[] keys) =>
    [
        new { address = Jumps!.First.Address, password = Jumps.First.RootPassword, hostKey = keys.ElementAtOrDefault(0) },
        new { address = Jumps.SecondAddress, password = Jumps.Second.RootPassword, hostKey = keys.ElementAtOrDefault(1) },
    ];

    /// <summary>Changes something, which must not be refused.</summary>
    public async Task<JsonElement> Patch(string path, object change)
    {
        using var admin = Product.Admin();
        var (status, body) = await admin.PatchAsJsonAsync(path, change).Answer();
        return status == HttpStatusCode.OK ? body : throw new InvalidOperationException($"{status}: {body}");
    }

    public async Task<Guid> Install(object request, string? idempotencyKey = null)
    {
        using var admin = Product.Admin();
        using var message = new HttpRequestMessage(HttpMethod.Post, "/api/v2/pvservers/ns1/install") { Content = JsonContent.Create(request) };
        message.Headers.Add("Idempotency-Key", idempotencyKey ?? Guid.NewGuid().ToString());
        var (status, body) = await admin.SendAsync(message).Answer();
        return status == HttpStatusCode.Accepted ? body.GetProperty("runId").GetGuid() : throw new InvalidOperationException($"{status}: {body}");
    }

    public static object OneZone(string? file = null, object[]? pre = null, object[]? post = null) => new
    {
        components = new[] { "dns", "monitor" }, zones = new[] { new { name = "example.org", file = file ?? Zone } }, preCommands = pre ?? [], postCommands = post ?? [],
    };

    public async Task<JsonElement> Run(Guid id)
    {
        using var admin = Product.Admin();
        return await admin.GetAsync($"/api/v2/runs/{id}").Json();
    }

    /// <summary>Waits until the run has ended or paused.</summary>
    public async Task<JsonElement> Outcome(Guid id)
    {
        JsonElement run = default;
        await ProductProcess.Until(async () =>
        {
            run = await Run(id);
            return Ended.Contains(State(run));
        }, $"run {id} ends", TimeSpan.FromMinutes(4));
        return run;
    }

    public async Task<JsonElement> InstallAndWait(object request) => await Outcome(await Install(request));

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

    public static JsonElement Step(JsonElement run, string name) => run.GetProperty("steps").EnumerateArray().Single(s => s.GetProperty("name").GetString() == name);

    /// <summary>What a failed test tells of a run.</summary>
    public static string Story(JsonElement run) => string.Join('\n',
    [
        $"{State(run)}: {Reason(run)}",
        .. run.GetProperty("steps").EnumerateArray().Select(s => $"{s.GetProperty("seq")} {s.GetProperty("name")} {s.GetProperty("state")} attempts={s.GetProperty("attempts")} {s.GetProperty("summary")} {s.GetProperty("error")}"),
        .. run.GetProperty("events").EnumerateArray().Select(e => $"{e.GetProperty("at")} {e.GetProperty("who")} {e.GetProperty("what")} {e.GetProperty("why")}"),
    ]);

    public static string State(JsonElement run) => run.GetProperty("state").GetString()!;

    public static string Reason(JsonElement run) => run.GetProperty("reason").GetString() ?? "";

    /// <summary>Everything on the host that an install could have touched, as text to be compared, but for what programs write while they run.</summary>
    public Task<string> Footprint() => Lab.Run(
        """
        cd /var/lib/managed-servers 2>/dev/null && find . \( -path '*/data/*' -o -path '*/run/*' -o -path './tap/*' -o -path './monitor/*' -o -path './agent/spool*' \
            -o -name '*.lock' -o -name 'agent.log*' -o -name __pycache__ \) -prune -o -printf '%M %u:%g %p %l\n' -type f -exec sha256sum {} + | sort
        docker ps -a --format '{{.ID}} {{.Names}} {{.State}}' 2>/dev/null
        docker images --format '{{.ID}} {{.Repository}}:{{.Tag}}' 2>/dev/null | sort
        find /home /etc/sudoers.d /var/spool/cron /var/lib/systemd/linger -printf '%M %u:%g %p\n' 2>/dev/null | sort
        cat /etc/rc.local 2>/dev/null; cat /var/spool/cron/crontabs/* 2>/dev/null
        ls /etc/systemd/system /etc/systemd/system/*.wants; systemctl list-units --all --no-legend 'managed-servers*' 2>/dev/null
        pgrep -fa 'agent[.]py'
        exit 0
        """);

    /// <summary>The address of www.example.org, as it is served.</summary>
    public async Task<string> Www() => (await Ask("www.example.org", QueryType.A)).Answers.ARecords().Single().Address.ToString();

    public async Task<IDnsQueryResponse> Ask(string name, QueryType type, bool tcp = false)
    {
        var client = new LookupClient(new LookupClientOptions(IPAddress.Parse(Lab.Address)) { UseCache = false, UseTcpOnly = tcp, Recursion = false, Retries = 2, Timeout = TimeSpan.FromSeconds(3) });
        return await client.QueryAsync(name, type);
    }

    public async ValueTask DisposeAsync()
    {
        await (alone ? Product.DisposeAsync().AsTask() : ProductPool.Return(Product));
        await (Jumps is null ? Lab.DisposeAsync() : Jumps.DisposeAsync());
    }

    private static async Task<RegisteredHost> OrNothing(RegisteredHost host, Func<RegisteredHost, Task> register)
    {
        try
        {
            await register(host);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private async Task Add(string? route = null)
    {
        var key = await Post("/api/v2/pvservers/probe", new { address = Lab.Address, sshRoute = route });
        var added = await Post("/api/v2/pvservers", new
        {
            name = "ns1", address = Lab.Address, sshUser = user?.Name ?? "root", password = user?.Password ?? Lab.RootPassword, hostKey = key.GetProperty("fingerprint").GetString(), sshRoute = route,
        });
        Assert.True(added.TryGetProperty("state", out var state) && state.GetString() == "new", added.ToString());
    }

    /// <summary>Each hop's key is shown before a credential is sent to it, and accepted one after the other.</summary>
    private async Task AddRoute()
    {
        string?[] keys = [null, null];
        JsonElement answer = default;
        for (var asked = 0; asked <= keys.Length; asked++)
        {
            answer = await Post("/api/v2/sshroutes", new { name = "dmz", hops = Hops(keys) });
            if (answer.TryGetProperty("fingerprint", out var shown))
            {
                Assert.Equal("host-key-unknown", answer.GetProperty("type").GetString());
                Assert.True(answer.GetProperty("errors").TryGetProperty($"hops[{asked}].hostKey", out _), answer.ToString());
                keys[asked] = shown.GetString();
            }
        }

        Assert.True(answer.TryGetProperty("id", out _), answer.ToString());
    }
}
