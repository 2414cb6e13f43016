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
        [.. run.GetProperty("steps").EnumerateArray().Where(s => s.GetProperty("name").GetString()!.Contains("-command-", StringComparison.Ordinal)).Select(s => s.GetProperty("title").GetString()!.Split('\'')[1])];
}
