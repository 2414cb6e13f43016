using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ManagedServers.Tests.Provisioning;

/// <summary>Commands of the catalogue, and what runs make of them.</summary>
public sealed class CommandCatalogueTests
{
    [Fact]
    public async Task Commands_are_kept_in_a_catalogue_chosen_for_servers_and_run_around_changes()
    {
        await using var host = await RegisteredHost.Start();
        await TheCatalogueKeepsItsRules(host);
        await AServersChoiceIsRunWhereItIsMeant(host);
        await WhatAFailureMeansIsTheCommandsOwn(host);
        await ARunKeepsTheTextItWasStartedWith(host);
        await TheyAreRunByHand(host);
        await TheyAreRunAroundEveryChange(host);
    }

    private static async Task TheCatalogueKeepsItsRules(RegisteredHost host)
    {
        using var admin = host.Product.Admin();
        var (status, problem) = await admin.PostAsJsonAsync("/api/v2/commands", new { name = "Free Port 53", text = "", timeoutSeconds = 0, successCodes = new[] { 256 }, uses = new[] { "pre-lunch" } }).Answer();
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["successCodes", "text", "timeoutSeconds", "uses[0]"], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name).Order());
        Assert.Contains("comes with the product", (await Refused(admin, HttpMethod.Post, "", new { name = "Free Port 53", text = "true", uses = new[] { "pre-install" } })).ToString(), StringComparison.Ordinal);
        Assert.Contains("holds a password", (await Refused(admin, HttpMethod.Post, "", new { name = "leak", text = $"echo {host.Lab.RootPassword}", uses = new[] { "pre-install" } })).ToString(), StringComparison.Ordinal);

        var added = await admin.PostAsJsonAsync("/api/v2/commands", new { name = "note", text = "id\r\ntrue", uses = new[] { "pre-install", "post-install" }, asRoot = false, onFailure = "undo" }).Json();
        Assert.Equal(("id\ntrue", 300, "undo", "admin"), (added.GetProperty("text").GetString(), added.GetProperty("timeoutSeconds").GetInt32(), added.GetProperty("onFailure").GetString(), added.GetProperty("changedBy").GetString()));
        Assert.Contains("must be unique", (await Refused(admin, HttpMethod.Post, "", new { name = "NOTE", text = "true", uses = new[] { "pre-install" } })).ToString(), StringComparison.Ordinal);
        Assert.Equal("built-in", (await Refused(admin, HttpMethod.Patch, "/free port 53", new { text = "true" }, HttpStatusCode.Conflict)).GetProperty("type").GetString());

        await admin.PutAsJsonAsync("/api/v2/pvservers/ns1/commands", new { preCommands = new[] { "note" } }).Json();
        Assert.Equal("command-in-use", (await Refused(admin, HttpMethod.Delete, "/note", new { }, HttpStatusCode.Conflict)).GetProperty("type").GetString());
        await admin.PatchAsJsonAsync("/api/v2/commands/note", new { name = "memo", uses = new[] { "post-install" } }).Json();
        Assert.Equal("memo", (await host.Get("/api/v2/pvservers/ns1/commands")).GetProperty("preCommands")[0].GetString());
        var wrong = await admin.PutAsJsonAsync("/api/v2/pvservers/ns1/commands", new { preCommands = new[] { "memo", "nobody" }, postCommands = new[] { "memo", "memo" } }).Json();
        Assert.Equal(["postCommands[1]", "preCommands[0]", "preCommands[1]"], wrong.GetProperty("errors").EnumerateObject().Select(e => e.Name).Order());

        await admin.PutAsJsonAsync("/api/v2/pvservers/ns1/commands", new { preCommands = Array.Empty<string>() }).Json();
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync("/api/v2/commands/memo")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/api/v2/commands/memo")).StatusCode);
        Assert.True((await host.Get("/api/v2/commands")).GetProperty("items").GetArrayLength() >= 8);
    }

    private static async Task AServersChoiceIsRunWhereItIsMeant(RegisteredHost host)
    {
        await Add(host, "tell", "env | grep ^MANAGED_SERVERS_ | sort >>/root/told-$MANAGED_SERVERS_PHASE; exit 3", new { successCodes = new[] { 0, 3 }, uses = new[] { "pre-install", "post-install" } });
        await Choose(host, new { preCommands = new[] { "check free disk", "tell" }, postCommands = new[] { "ask DNS", "tell" } });

        var installed = await host.InstallAndWait(new { zones = Zones });
        Assert.True(RegisteredHost.State(installed) == "succeeded", RegisteredHost.Story(installed));
        Assert.Equal(["check free disk", "tell", "ask DNS", "tell"], Titles(installed));
        Assert.Equal(3, RegisteredHost.Step(installed, "pre-command-2").GetProperty("output").GetProperty("exitCode").GetInt32());
        var told = (await host.Lab.Run("cat /root/told-pre")).Split('\n');
        Assert.Contains("MANAGED_SERVERS_SERVER=ns1", told);
        Assert.Contains("MANAGED_SERVERS_WORKFLOW=install", told);
        Assert.Contains("MANAGED_SERVERS_PHASE=pre", told);
        Assert.Contains("MANAGED_SERVERS_COMPONENTS=dns monitor", told);
        Assert.Contains("MANAGED_SERVERS_LISTEN=0.0.0.0@53", told);
        Assert.Contains($"MANAGED_SERVERS_RUN_ID={installed.GetProperty("id").GetString()}", told);

        Assert.Contains("MANAGED_SERVERS_PHASE=post", (await host.Lab.Run("cat /root/told-post")).Split('\n'));
        Assert.Equal("", await host.Lab.Run("ls -A /var/lib/managed-servers/commands 2>/dev/null || true"));
        Assert.Empty(Titles(await host.InstallAndWait(new { zones = Zones, preCommands = Array.Empty<string>(), postCommands = Array.Empty<string>() })));
    }

    private static async Task WhatAFailureMeansIsTheCommandsOwn(RegisteredHost host)
    {
        await Choose(host, new { preCommands = Array.Empty<string>(), postCommands = Array.Empty<string>() });
        await Add(host, "shrug", "exit 4", new { onFailure = "continue", uses = new[] { "post-install" } });
        await Add(host, "insist", "exit 5", new { onFailure = "undo", uses = new[] { "post-install" } });

        var noted = await host.InstallAndWait(new { zones = Zones, postCommands = new[] { new { name = "shrug" } } });
        Assert.Equal(("succeeded", "failed"), (RegisteredHost.State(noted), RegisteredHost.Step(noted, "post-command-1").GetProperty("state").GetString()));

        var other = new[] { new { name = "example.org", file = RegisteredHost.Zone.Replace("192.0.2.2", "192.0.2.9", StringComparison.Ordinal) } };
        var undone = await host.InstallAndWait(new { zones = other, postCommands = new[] { new { name = "insist" } } });
        Assert.Equal("failed", RegisteredHost.State(undone));
        Assert.Contains("exit code 5", RegisteredHost.Reason(undone), StringComparison.Ordinal);
        Assert.Equal("192.0.2.2", await host.Www());
    }

    private static async Task ARunKeepsTheTextItWasStartedWith(RegisteredHost host)
    {
        await Add(host, "hold", "until [ -e /root/go ]; do sleep 0.1; done", new { uses = new[] { "pre-install" } });
        await Add(host, "say", "echo old >/root/said", new { uses = new[] { "pre-install" } });
        var run = await host.Install(new { zones = Zones, preCommands = new[] { new { name = "hold" }, new { name = "say" } } });
        await ProductProcess.Until(async () => RegisteredHost.Step(await host.Run(run), "pre-command-1").GetProperty("state").GetString() == "running", "the first command runs");
        using var admin = host.Product.Admin();
        await admin.PatchAsJsonAsync("/api/v2/commands/say", new { text = "echo new >/root/said" }).Json();
        await host.Lab.Run("touch /root/go");
        await host.Outcome(run);
        Assert.Equal("old", await host.Lab.Run("cat /root/said"));
    }

    private static async Task TheyAreRunByHand(RegisteredHost host)
    {
        await Add(host, "look around", "env | grep ^MANAGED_SERVERS_ | sort >/root/looked; exit 3", new { successCodes = new[] { 3 } });
        await Add(host, "wait for go", "echo held; until [ -e /root/let-go ]; do sleep 0.1; done", new { repeatable = true });
        using var admin = host.Product.Admin();
        foreach (var (commands, field) in new (object[], string)[] { ([], "commands"), ([new { name = "nobody" }], "commands[0].name"), ([new { name = "leak", command = $"echo {host.Lab.RootPassword}" }], "commands[0].command") })
        {
            var (status, problem) = await admin.PostAsJsonAsync("/api/v2/pvservers/ns1/run-commands", new { commands }).Answer();
            Assert.Equal((HttpStatusCode.BadRequest, field), (status, problem.GetProperty("errors").EnumerateObject().Single().Name));
        }

        var body = new { commands = new object[] { new { name = "LOOK AROUND" }, new { name = "wait for go" }, new { name = "stumble", command = "exit 7" }, new { name = "never", command = "touch /root/never" } } };
        var plan = await host.Post("/api/v2/pvservers/ns1/run-commands?plan=true", body);
        Assert.Equal(["look around", "wait for go", "stumble", "never"], Titles(plan));
        Assert.Contains("touch /root/never", plan.ToString(), StringComparison.Ordinal);

        var id = (await host.Post("/api/v2/pvservers/ns1/run-commands", body)).GetProperty("runId").GetGuid();
        await ProductProcess.Until(async () => (await host.Get($"/api/v2/runs/{id}/log")).ToString().Contains("\"held\"", StringComparison.Ordinal), "the second command runs");
        Assert.Equal(id, (await host.Post("/api/v2/pvservers/ns1/stop?plan=true", new { })).GetProperty("ahead")[0].GetProperty("id").GetGuid());
        Assert.NotEqual("installing", (await host.Get("/api/v2/pvservers/ns1")).GetProperty("state").GetString());
        await host.Lab.Run("touch /root/let-go");

        var run = await host.Outcome(id);
        Assert.Equal(("failed", "run 'look around', 'wait for go', 'stumble', 'never' on ns1"), (RegisteredHost.State(run), run.GetProperty("title").GetString()));
        Assert.Contains("'stumble'", RegisteredHost.Reason(run), StringComparison.Ordinal);
        Assert.Equal(3, RegisteredHost.Step(run, "command-1").GetProperty("output").GetProperty("exitCode").GetInt32());
        Assert.Equal("MANAGED_SERVERS_COMPONENTS=dns monitor\nMANAGED_SERVERS_LISTEN=0.0.0.0@53\nMANAGED_SERVERS_PHASE=run\nMANAGED_SERVERS_WORKFLOW=run-commands", await host.Lab.Run("grep -E 'COMPON|LISTEN|PHASE|WORKF' /root/looked; ls /root/never 2>/dev/null || true"));

        var noted = await Ended(host, "run-commands", new { commands = new[] { new { name = "shrug" }, new { name = "check free disk" } } });
        Assert.Equal(("succeeded", "failed"), (RegisteredHost.State(noted), RegisteredHost.Step(noted, "command-1").GetProperty("state").GetString()));
    }

    private static async Task TheyAreRunAroundEveryChange(RegisteredHost host)
    {
        string[] kinds = ["stop", "start", "restart", "apply", "uninstall"];
        await Add(host, "trail", "echo $MANAGED_SERVERS_PHASE $MANAGED_SERVERS_WORKFLOW: $MANAGED_SERVERS_COMPONENTS at $MANAGED_SERVERS_LISTEN >>/root/trail", new { uses = kinds.SelectMany(k => new[] { $"pre-{k}", $"post-{k}" }) });
        await Choose(host, new { preCommands = new[] { "trail", "check free disk" }, postCommands = new[] { "trail", "ask DNS" } });

        // A failing pre-command changes nothing; what a failing post-command means, it says itself.
        var refused = await Ended(host, "stop", new { preCommands = new[] { new { name = "no", command = "exit 6" } } });
        Assert.Equal(("failed", "192.0.2.2"), (RegisteredHost.State(refused), await host.Www()));
        await Add(host, "insist everywhere", "exit 5", new { onFailure = "undo", uses = kinds.Select(k => $"post-{k}") });
        var undone = await Ended(host, "stop", new { preCommands = Array.Empty<object>(), postCommands = new[] { new { name = "insist everywhere" } } });
        Assert.True(RegisteredHost.State(undone) == "failed", RegisteredHost.Story(undone));
        await ProductProcess.Until(async () => await Answers(host), "what was stopped has been started again");

        List<string> expected = [];
        foreach (var (verb, kind, components, body) in new (string, string, string, object)[]
        {
            ("stop", "stop", "dns monitor", new { }), ("start", "start", "dns monitor", new { }), ("restart", "restart", "dns", new { components = new[] { "dns" } }),
            ("configuration/apply", "apply", "dns", new { setZones = new[] { new { name = "example.net", file = Zone("example.net") } } }),
            ("configuration/dns/versions/1/restore", "apply", "dns", new { dropZones = true }), ("drift/reapply", "apply", "dns", new { }),
        })
        {
            Assert.Contains(Titles(await host.Post($"/api/v2/pvservers/ns1/{verb}?plan=true", body)), t => t == "trail");
            var run = await Ended(host, verb, body);
            Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
            Assert.Equal(kind == "apply" ? ["trail", "check free disk", "trail", "ask DNS"] : kind == "stop" ? ["trail", "trail"] : ["trail", "trail", "ask DNS"], Titles(run));
            expected.AddRange([$"pre {kind}: {components} at 0.0.0.0@53", $"post {kind}: {components} at 0.0.0.0@53"]);
        }

        // What is gone cannot be brought back: a command that would have it so pauses the run.
        var paused = await Ended(host, "uninstall", new { postCommands = new[] { new { name = "trail" }, new { name = "insist everywhere" } } });
        Assert.True(RegisteredHost.State(paused) == "paused", RegisteredHost.Story(paused));
        await host.Post($"/api/v2/runs/{paused.GetProperty("id").GetString()}/skip", new { });
        var gone = await host.Outcome(paused.GetProperty("id").GetGuid());
        Assert.True(RegisteredHost.State(gone) == "succeeded", RegisteredHost.Story(gone));
        expected.AddRange(["pre uninstall: dns monitor at 0.0.0.0@53", "post uninstall: dns monitor at 0.0.0.0@53"]);
        Assert.Equal(expected, (await host.Lab.Run("cat /root/trail")).Split('\n'));
        Assert.Equal("", await host.Lab.Run("ls -d /var/lib/managed-servers 2>/dev/null || true"));
    }

    private static async Task<JsonElement> Ended(RegisteredHost host, string verb, object body)
    {
        var started = await host.Post($"/api/v2/pvservers/ns1/{verb}", body);
        Assert.True(started.TryGetProperty("runId", out var run), started.ToString());
        return await host.Outcome(run.GetGuid());
    }

    private static async Task<bool> Answers(RegisteredHost host)
    {
        try
        {
            return await host.Www() == "192.0.2.2";
        }
        catch (DnsClient.DnsResponseException)
        {
            return false;
        }
    }

    private static string Zone(string name) => $"$TTL 300\n@ SOA ns1.{name}. hostmaster.{name}. 1 3600 900 604800 300\n@ NS ns1.{name}.\nns1 A 192.0.2.1\n";

    private static object[] Zones => [new { name = "example.org", file = RegisteredHost.Zone }];

    private static async Task Add(RegisteredHost host, string name, string text, object more)
    {
        var body = JsonSerializer.SerializeToNode(more, JsonSerializerOptions.Web)!;
        (body["name"], body["text"]) = (name, text);
        using var admin = host.Product.Admin();
        var (status, answer) = await admin.PostAsJsonAsync("/api/v2/commands", body).Answer();
        Assert.True(status == HttpStatusCode.Created, answer.ToString());
    }

    private static async Task Choose(RegisteredHost host, object chosen)
    {
        using var admin = host.Product.Admin();
        var (status, answer) = await admin.PutAsJsonAsync("/api/v2/pvservers/ns1/commands", chosen).Answer();
        Assert.True(status == HttpStatusCode.OK, answer.ToString());
    }

    private static async Task<JsonElement> Refused(HttpClient admin, HttpMethod method, string path, object body, HttpStatusCode expected = HttpStatusCode.BadRequest)
    {
        using var request = new HttpRequestMessage(method, $"/api/v2/commands{path}") { Content = JsonContent.Create(body) };
        var (status, problem) = await admin.SendAsync(request).Answer();
        Assert.True(status == expected, $"{status} {problem}");
        return problem;
    }

    private static List<string> Titles(JsonElement run) =>
        [.. run.GetProperty("steps").EnumerateArray().Where(s => s.GetProperty("name").GetString()!.Contains("command-", StringComparison.Ordinal)).Select(s => s.GetProperty("title").GetString()!.Split('\'')[1])];
}
