using System.Text.Json;
using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Plans as a person reads them, and as a program does.</summary>
public sealed class PlanTests : AgainstStandIn
{
    private const string Run = """{"id":"01a1f0d2-0000-7000-8000-000000000001","kind":"install","title":"install dns on ns1","state":"STATE","requestedBy":"ada","createdAt":"2020-01-01T00:00:00Z"}""";

    private const string Plan =
        """
        {"server":"ns1","kind":"install","title":"install dns on ns1","wouldChange":true,"steps":[
          {"seq":1,"name":"preflight","title":"Check the host","onFailure":"fail","preview":{"changes":[]}},
          {"seq":2,"name":"pre-command-1","title":"Pre-command 'look'","onFailure":"fail","preview":{"changes":[{"kind":"run","thing":"command","name":"look","detail":"id\n\u001b[2Jrm -rf /tmp/x"}]}},
          {"seq":3,"name":"stage-dns","title":"Write the configuration aside","onFailure":"compensate","preview":{"changes":[{"kind":"change","thing":"file","name":"dns/zones/a.zone","detail":"- www A 192.0.2.1\n+ www A 192.0.2.2"}]}},
          {"seq":4,"name":"start-dns","title":"Start Knot","onFailure":"compensate","preview":{"changes":[{"kind":"restart","thing":"container","name":"managed-servers-dns","detail":"made anew"}]}}],
         "affected":[{"component":"dns","interruption":"restart","total":2,"soleServerFor":["a.example"],"served":[{"name":"a.example","effect":"changed","alsoServedBy":[]},{"name":"b.example","effect":"unchanged","alsoServedBy":["ns2"]}]}],
         "ahead":[RUN]}
        """;

    [Fact]
    public async Task The_steps_what_each_changes_and_who_notices_are_read_from_top_to_bottom()
    {
        Answers("install", Plan.Replace("RUN", Run.Replace("STATE", "paused", StringComparison.Ordinal), StringComparison.Ordinal));
        var end = await Msctl.Run("servers", "install", "ns1", "--plan");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(
            """
            Plan: install dns on ns1

            1. Check the host  (a failure ends the run)
            2. Pre-command 'look'  (a failure ends the run)
               run     command look
                       id
                       \x1b[2Jrm -rf /tmp/x
            3. Write the configuration aside  (a failure takes everything back)
               change  file dns/zones/a.zone
                       - www A 192.0.2.1
                       + www A 192.0.2.2
            4. Start Knot  (a failure takes everything back)
               restart container managed-servers-dns: made anew

            Who would notice
              dns is restarted: for a moment it answers nobody (2 zones)
                changed  a.example
                served   b.example, also by ns2
                ns1 is the sole server for 1 zone of these: a.example

            """, end.Out[..end.Out.IndexOf("\nIt would wait", StringComparison.Ordinal)]);
        Assert.Matches(@"\nIt would wait for run 01a1f0d2-0000-7000-8000-000000000001 \(install dns on ns1, started by ada \d+ d ago, paused\)\.\nThat one goes on only when somebody says so: msctl runs show 01a1f0d2.*\n3 of 4 steps would change something\. Nothing was started\.\n$", end.Out);
        Assert.Equal("?plan=true", Assert.Single(Product.Requests).Query);
    }

    [Theory]
    [InlineData("""{"server":"ns1","title":"stop dns on ns1","wouldChange":false,"steps":[{"seq":1,"title":"Stop dns"}]}""", 0, "Nothing would be changed (1 step). Nothing was started.")]
    [InlineData("""{"server":"ns1","title":"stop dns on ns1","notLookedAt":"The host could not be looked at: no way.","steps":[{"seq":1,"title":"Stop dns"}]}""", 0, "The host could not be looked at: no way.\nWhether anything would be changed is not known (1 step). Nothing was started.")]
    [InlineData("""{"server":"ns1","title":"stop dns on ns1","wouldFail":"Stop dns: it is not there","steps":[{"seq":1,"title":"Stop dns","preview":{"changes":[],"failure":"it is not there"}}]}""", 1, "   would fail: it is not there\n\nThe run would fail as things are, and nobody would notice. Nothing was started.")]
    public async Task The_last_lines_and_the_exit_code_tell_what_would_come_of_it(string plan, int code, string ends)
    {
        Answers("stop", plan);
        var text = await Msctl.Run("servers", "stop", "ns1", "--plan");
        Assert.Equal(code, text.ExitCode);
        Assert.EndsWith(ends + "\n", text.Out, StringComparison.Ordinal);
        var json = await Msctl.Run("servers", "stop", "ns1", "--plan", "-o", "json");
        Assert.Equal(code, json.ExitCode);
        Assert.Equal("stop dns on ns1", JsonDocument.Parse(json.Out).RootElement.GetProperty("title").GetString());
    }

    [Fact]
    public async Task An_uninstall_is_shown_without_being_asked_whether_one_is_sure()
    {
        Answers("uninstall", """{"server":"ns1","title":"uninstall everything from ns1","wouldChange":false,"steps":[{"seq":1,"title":"Stop and remove dns"}]}""");
        Assert.Equal(0, (await Msctl.Run("servers", "uninstall", "ns1", "--plan")).ExitCode);
    }

    [Fact]
    public async Task An_uninstall_warns_of_the_DNSSEC_keys_that_go_with_it()
    {
        Answers("uninstall", """{"server":"ns1","title":"uninstall everything from ns1","wouldChange":true,"steps":[{"seq":1,"title":"Remove the product's folders","preview":{"changes":[{"kind":"remove","thing":"folder","name":"/x","detail":"with all that is in it"}]}}],"affected":[{"component":"dns","interruption":"stop","total":1,"soleServerFor":[],"keysLost":["a.example"],"served":[{"name":"a.example","effect":"removed","alsoServedBy":["ns2"]}]}]}""");
        var end = await Msctl.Run("servers", "uninstall", "ns1", "--plan");
        Assert.Contains(
            "    removed  a.example, also by ns2\n    The DNSSEC keys of 1 zone lie on this host alone and go with it: a.example\n    A DS record at the parent zone matches no key any more then, ", end.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_be_stored_otherwise_is_read_with_the_servers_that_it_concerns()
    {
        Product.On("PATCH", "/api/v2/sshroutes/dmz",
            """
            {"title":"change the SSH route dmz","changes":[{"thing":"name","from":"'dmz'","to":"'office'"},{"thing":"text","from":null,"to":"2 lines","detail":"- a\n+ \u001b[2Jb"},{"thing":"old","from":"this","to":null}],"proof":"The product logs in.",
             "totalServers":4,"servers":[{"server":"ns1","services":[{"component":"dns","interruption":"none","total":1,"served":[{"name":"a.example","effect":"unchanged","alsoServedBy":[]}]}]},{"server":"ns2","services":[]}],"notes":["Servers go the new way."]}
            """);
        var end = await Msctl.Run("routes", "edit", "dmz", "--name", "office", "--plan");

        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Equal(
            """
            Plan: change the SSH route dmz

              name: 'dmz' -> 'office'
              text: now 2 lines
                - a
                + \x1b[2Jb
              old: this -> gone

            Before anything is kept, and not for this plan: The product logs in.

            The 4 servers that it concerns
              ns1
                dns goes on without interruption (1 zone)
                  served   a.example
              ns2 serves nobody
              and 2 more servers

            Servers go the new way.
            3 things would be stored otherwise, and nothing changes on any host. Nothing was done.

            """, end.Out);
        Assert.Equal(("?plan=true", """{"name":"office"}"""), (Assert.Single(Product.Requests).Query, Product.Requests.Single().Body));
        Assert.Equal(4, JsonDocument.Parse((await Msctl.Run("routes", "edit", "dmz", "--name", "office", "--plan", "-o", "json")).Out).RootElement.GetProperty("totalServers").GetInt32());
    }

    [Theory]
    [InlineData("DELETE", "/api/v2/pvservers/ns1", "?force=true&plan=true", "servers remove ns1 --force --plan")]
    [InlineData("POST", "/api/v2/pvservers/ns1/enrolment", "?plan=true", "servers enrol ns1 --renew --plan")]
    [InlineData("POST", "/api/v2/pvservers/ns1/host-key", "?plan=true", "servers host-key ns1 --plan")]
    [InlineData("PUT", "/api/v2/pvservers/ns1/commands", "?plan=true", "servers commands ns1 --no-pre --plan")]
    [InlineData("POST", "/api/v2/pvservers", "?plan=true", "servers add ns1 --manual --plan")]
    [InlineData("PATCH", "/api/v2/pvservers/ns1", "?plan=true", "servers edit ns1 --name ns2 --plan")]
    [InlineData("DELETE", "/api/v2/commands/look", "?plan=true", "commands remove look --plan")]
    [InlineData("PATCH", "/api/v2/commands/look", "?plan=true", "commands edit look --timeout 5 --plan")]
    [InlineData("POST", "/api/v2/commands", "?plan=true", "commands add look --timeout 5 --plan")]
    [InlineData("DELETE", "/api/v2/sshroutes/dmz", "?plan=true", "routes remove dmz --plan")]
    [InlineData("DELETE", "/api/v2/tokens/01a1f0d2-0000-7000-8000-000000000001", "?plan=true", "tokens revoke 01a1f0d2-0000-7000-8000-000000000001 --plan")]
    [InlineData("POST", "/api/v2/runs/01a1f0d2-0000-7000-8000-000000000001/cancel", "?plan=true", "runs cancel 01a1f0d2-0000-7000-8000-000000000001 --undo --watch --plan")]
    [InlineData("POST", "/api/v2/runs/01a1f0d2-0000-7000-8000-000000000001/retry", "?plan=true", "runs retry 01a1f0d2-0000-7000-8000-000000000001 --plan")]
    [InlineData("POST", "/api/v2/runs/01a1f0d2-0000-7000-8000-000000000001/skip", "?plan=true", "runs skip 01a1f0d2-0000-7000-8000-000000000001 --plan")]
    [InlineData("POST", "/api/v2/runs/01a1f0d2-0000-7000-8000-000000000001/priority", "?plan=true", "runs priority 01a1f0d2-0000-7000-8000-000000000001 high --plan")]
    [InlineData("POST", "/api/v2/runs/01a1f0d2-0000-7000-8000-000000000001/steps/ask/approve", "?plan=true", "runs approve 01a1f0d2-0000-7000-8000-000000000001 --step ask --plan")]
    [InlineData("PATCH", "/api/v2/settings/monitoring", "?version=3&plan=true", "settings set monitoring windowSeconds=60 --version-is 3 --plan")]
    [InlineData("PATCH", "/api/v2/settings/rabbitmq", "?plan=true", "settings rabbitmq set --disable --plan")]
    public async Task Every_command_that_stores_something_asks_for_its_plan_alone_and_no_question(string method, string path, string query, string line)
    {
        Product.On(method, path, """{"title":"it","changes":[],"servers":[],"totalServers":0,"notes":[]}""");
        var end = await Msctl.Run(line.Split(' '));
        Assert.Equal((0, "Plan: it\n\n\nNothing would be stored otherwise, and nothing changes on any host. Nothing was done.\n"), (end.ExitCode, end.Out));
        Assert.Equal((method, query), (Assert.Single(Product.Requests).Method, Product.Requests.Single().Query));
    }

    [Fact]
    public async Task What_a_run_goes_on_to_do_on_a_host_is_read_with_its_steps()
    {
        Product.On("POST", "/api/v2/runs/01a1f0d2-0000-7000-8000-000000000001/retry",
            """{"title":"run 01a1f0d2 (install dns on ns1) is retried","changes":[{"thing":"run 01a1f0d2","from":"paused","to":"queued: From step 3","detail":"3. Start Knot\n4. Prove it"}],"onHosts":"The run goes on, and does these steps.","servers":[],"totalServers":0,"notes":[]}""");
        var end = await Msctl.Run("runs", "retry", "01a1f0d2-0000-7000-8000-000000000001", "--plan");
        Assert.Equal(
            """
            Plan: run 01a1f0d2 (install dns on ns1) is retried

              run 01a1f0d2: paused -> queued: From step 3
                3. Start Knot
                4. Prove it

            The run goes on, and does these steps.

            1 thing would be stored otherwise. Nothing was done.

            """, end.Out);
    }

    [Theory]
    [InlineData("running", false)]
    [InlineData("paused", true)]
    public async Task Who_starts_something_behind_another_run_is_told_so_at_once(string state, bool needsSomebody)
    {
        Product.On("POST", "/api/v2/pvservers/ns1/restart", (_, _) => (202, $$"""{"runId":"01a1f0d2-0000-7000-8000-000000000009","ahead":[{{Run.Replace("STATE", state, StringComparison.Ordinal)}},{{Run.Replace("STATE", "queued", StringComparison.Ordinal)}}]}"""));
        var end = await Msctl.Run("servers", "restart", "ns1", "--no-watch");

        Assert.Equal(0, end.ExitCode);
        Assert.Matches($@"^It waits for run 01a1f0d2-0000-7000-8000-000000000001 \(install dns on ns1, started by ada \d+ d ago, {state}\), and 1 more run before its turn\.\n", end.Error);
        Assert.Equal(needsSomebody, end.Error.Contains("msctl runs show 01a1f0d2-0000-7000-8000-000000000001", StringComparison.Ordinal));
        Assert.Equal("01a1f0d2-0000-7000-8000-000000000009\n", end.Out);
    }

    private void Answers(string verb, string plan) => Product.On("POST", $"/api/v2/pvservers/ns1/{verb}", plan);
}
