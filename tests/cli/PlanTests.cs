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
    [InlineData("""{"server":"ns1","title":"stop dns on ns1","wouldFail":"Stop dns: it is not there","steps":[{"seq":1,"title":"Stop dns","preview":{"changes":[],"failure":"it is not there"}}]}""", 1, "   would fail: it is not there\n\nThe run would fail as things are. Nothing was started.")]
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
