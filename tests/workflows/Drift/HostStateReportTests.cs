using System.Text.Json;
using ManagedServers.Engine;
using ManagedServers.Tests;
using ManagedServers.Workflows.Drift;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Provisioning;
using Xunit.Abstractions;

namespace ManagedServers.Workflows.Tests.Drift;

/// <summary>What a host says of itself is a value, within bounds, or refused.</summary>
public sealed class HostStateReportTests(ITestOutputHelper output)
{
    private const string Links = """ "links":{"knot.conf":"current/knot.conf","keys.conf":null,"zones":"a folder"} """;

    [Theory]
    [InlineData("asOf", """ {"asOf":"a\nb"} """)]
    [InlineData("asOf", """ {"asOf":"01234567890123456789012345678901234567890"} """)]
    [InlineData("containers", """ {"containers":[null]} """)]
    [InlineData("containers", """ {"containers":[{"component":"../dns","status":"running","image":"x"}]} """)]
    [InlineData("containers", """ {"containers":[{"component":"dns","status":"running","image":"x"},{"component":"dns","status":"running","image":"x"}]} """)]
    [InlineData("containers[0].status", """ {"containers":[{"component":"dns","status":"RUNNING; rm","image":"x"}]} """)]
    [InlineData("containers[0].image", """ {"containers":[{"component":"dns","status":"running"}]} """)]
    [InlineData("containers[0].specification", """ {"containers":[{"component":"dns","status":"running","image":"x","specification":"é"}]} """)]
    [InlineData("configurations", """ {"configurations":[{"component":"monitor"}]} """)]
    [InlineData("configurations[0].links", """ {"configurations":[{"component":"dns"}]} """)]
    [InlineData("configurations[0].links", """ {"configurations":[{"component":"dns","links":{"knot.conf":"","keys.conf":"","zones":"","/etc/passwd":""}}]} """)]
    [InlineData("configurations[0].digest", """ {"configurations":[{"component":"dns",$links,"digest":"0123"}]} """)]
    [InlineData("configurations[0].files", """ {"configurations":[{"component":"dns",$links,"files":{"a\u001b":"0000000000000000000000000000000000000000000000000000000000000000"}}]} """)]
    [InlineData("configurations[0].files", """ {"configurations":[{"component":"dns",$links,"files":{"a":null}}]} """)]
    public void A_report_that_breaks_a_rule_is_refused_by_the_name_of_the_field(string field, string json) =>
        Assert.Contains(field, Assert.Throws<InvalidInputException>(() => Parse(json.Replace("$links", Links, StringComparison.Ordinal)).Check()).Errors.Keys);

    [Fact]
    public void An_agent_without_Docker_is_not_one_without_containers()
    {
        Assert.Null(Parse("{}").Check());
        Assert.NotNull(Parse("""{"configurations":[]}""").Check()!.DockerProblem);
        Assert.Null(Parse("""{"containers":[],"configurations":[]}""").Check()!.DockerProblem);
    }

    [Fact]
    public void A_configuration_of_which_nothing_is_said_is_gone()
    {
        var dns = Parse("""{"containers":[],"configurations":[]}""").Check()!.Configurations["dns"];
        Assert.Empty(dns.Files!);
        Assert.Equal([null, null, null, null], dns.Links.Values.Append(dns.Current));
    }

    [Fact]
    [Trait("Category", "Matrix")]
    public void Whatever_it_says_is_one_line_of_ASCII_about_what_there_can_be_or_is_refused()
    {
        var nasty = new Nasty();
        output.WriteLine($"seed {nasty.Seed}");
        var (accepted, refused) = (0, 0);
        for (var n = 0; n < Nasty.Of(2_000); n++)
        {
            var report = new HostStateReport(nasty.OneOf(null, "new", nasty.Spoiled("2026-03-01T12:00:00.0000000Z")),
                nasty.OneOf<ReportedContainer?[]?>(null, [], [null], [Container()], [Container(), Container()]),
                nasty.OneOf<ReportedConfiguration?[]?>([], [Configuration()], [Configuration(), Configuration()]));
            HostState state;
            try
            {
                state = report.Check()!;
                accepted++;
            }
            catch (InvalidInputException e)
            {
                Assert.All(e.Errors, error => Assert.NotEmpty(error.Value));
                refused++;
                continue;
            }

            Assert.All(state.Containers.Keys, name => Assert.Contains(name, Component.All.Select(Component.ContainerName)));
            Assert.All(state.Configurations.Keys, name => Assert.Contains(name, Component.Serving));
            Assert.All(state.Containers.Values.SelectMany(c => c.Labels.Values.Append(c.Status).Append(c.Image)), IsPlain);
            Assert.All(state.Configurations.Values.SelectMany(c => c.Links.Values.Concat((c.Files ?? new Dictionary<string, string>()).SelectMany(f => new[] { f.Key, f.Value })).Append(c.Current).Append(c.Digest)), IsPlain);
        }

        Assert.True(accepted > 100 && refused > 100, $"{accepted} accepted and {refused} refused prove nothing (seed {nasty.Seed})");

        ReportedContainer Container() => new(nasty.OneOf("dns", "dhcp", "monitor", nasty.Spoiled("dns")), nasty.OneOf("running", nasty.Spoiled("exited")), nasty.OneOf("managed-servers/knot:3", nasty.Text()), nasty.OneOf(null, nasty.Spoiled("00ff")));

        ReportedConfiguration Configuration() => new(nasty.OneOf("dns", "dns", "dhcp"), nasty.OneOf(null, nasty.Spoiled("0123456789abcdef")),
            new Dictionary<string, string?> { ["knot.conf"] = nasty.OneOf(null, nasty.Spoiled("current/knot.conf")), ["keys.conf"] = null, [nasty.OneOf("zones", "zones", nasty.Spoiled("zones"))] = "a folder" },
            nasty.OneOf(null, nasty.Spoiled("0123456789abcdef")), nasty.OneOf<Dictionary<string, string>?>(null, [], new() { [nasty.Spoiled("zones/example.org.zone")] = nasty.OneOf(new string('0', 64), nasty.Spoiled(new string('f', 64))) }));
    }

    private static void IsPlain(string? text) => Assert.True(text is null || (text.Length <= 255 && text.All(c => c is >= ' ' and <= '~')), text);

    private static HostStateReport Parse(string json) => JsonSerializer.Deserialize<HostStateReport>(json, EngineJson.Options)!;
}
