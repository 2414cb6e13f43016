using System.Diagnostics;
using System.Text.Json;

namespace ManagedServers.Lab.Tests;

public sealed class LeftoverTests
{
    private static readonly LabOptions s_small = new() { Docker = false };

    [Fact]
    public async Task Removing_the_last_host_leaves_nothing()
    {
        using var owner = new OwnedProcess();
        var one = await LabHost.Start(s_small with { Owner = owner.Owner });
        var other = await LabHost.Start(s_small with { Owner = owner.Owner });
        Assert.Equal(2 + 2 + 1, await LabThings.CountOf(owner.Owner));

        await one.DisposeAsync();
        Assert.Equal(1 + 1 + 1, await LabThings.CountOf(owner.Owner));
        await one.DisposeAsync();
        await other.DisposeAsync();
        Assert.Equal(0, await LabThings.CountOf(owner.Owner));
    }

    [Fact]
    public async Task What_a_killed_process_left_is_removed_by_the_next_one_and_what_a_living_one_has_stays()
    {
        using var living = new OwnedProcess();
        using var killed = new OwnedProcess();
        await using var kept = await LabHost.Start(s_small with { Owner = living.Owner });
        await LabHost.Start(s_small with { Owner = killed.Owner });

        killed.Dispose();
        await LabLeftovers.Remove();

        Assert.Equal(0, await LabThings.CountOf(killed.Owner));
        Assert.Equal(1 + 1 + 1, await LabThings.CountOf(living.Owner));
    }

    [Fact]
    public async Task The_command_line_brings_hosts_up_for_another_process_and_takes_them_down_by_id_also_at_once()
    {
        using var owner = new OwnedProcess();

        // Two at once, each in a process of its own: one network, and an address each.
        var ups = await Task.WhenAll(new[] { "demo", "other" }.Select(name => CommandLine("up", name, $"{owner.Owner.ProcessId}")));
        var hosts = ups.Select(up => JsonSerializer.Deserialize<JsonElement>(up)).ToList();
        Assert.Equal(["demo", "other"], hosts.Select(h => h.GetProperty("name").GetString()));
        Assert.EndsWith(".1", Assert.Single(hosts.Select(h => h.GetProperty("gateway").GetString()).Distinct()), StringComparison.Ordinal);
        Assert.Equal(2, hosts.Select(h => h.GetProperty("address").GetString()).Distinct().Count());
        Assert.Equal(2 + 2 + 1, await LabThings.CountOf(owner.Owner));

        await Task.WhenAll(hosts.Select(h => CommandLine("down", h.GetProperty("id").GetString()!)));
        Assert.Equal(0, await LabThings.CountOf(owner.Owner));
    }

    [Fact]
    public void An_owner_is_gone_after_a_reboot_and_not_ours_to_judge_in_another_namespace()
    {
        var here = LabOwner.ThisProcess;

        Assert.False(here.IsGone);
        Assert.Equal(here, LabOwner.Parse(here.ToString()));
        Assert.True((here with { Boot = "another" }).IsGone);
        Assert.True((here with { StartTime = "1" }).IsGone);
        Assert.False((here with { Namespace = "pid:[1]", StartTime = "1" }).IsGone);
        Assert.Null(LabOwner.Parse("somebody"));
        Assert.Throws<ArgumentException>(() => LabOwner.Of(int.MaxValue));
    }

    private static async Task<string> CommandLine(params string[] arguments)
    {
        // Its own build: the copy beside the tests lacks what a web project finds in the shared framework.
        var lab = typeof(LabHost).Assembly.Location.Replace("/tests/lab/tests/bin/", "/tests/lab/bin/", StringComparison.Ordinal);
        var start = new ProcessStartInfo("dotnet", [lab, .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
