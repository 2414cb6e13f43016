using ManagedServers.Cli.Tests.Running;
using ManagedServers.Cli.Tests.StandIn;

namespace ManagedServers.Cli.Tests;

/// <summary>Watching a run on a terminal.</summary>
public sealed class LiveWatchTests : AgainstStandIn
{
    [Theory]
    [InlineData(80)]
    [InlineData(200)]
    public async Task A_terminal_gets_a_line_a_step_with_bars_that_never_break(int columns)
    {
        var run = Product.Run(new ScriptedRun("install dns, monitor on ns1", "Preflight", "Run the command 'back up /etc/bind before anything is changed on this host'", "Upload the image of Knot 3.2.6 [stable]", "Start dns"));
        run.Step(1, "running");
        await using var watch = Pty.Start(Msctl, columns, 30, "runs", "watch", $"{run.Id}");
        await watch.Shows("Preflight");
        run.Step(1, "succeeded", "Debian 12, Docker 20.10.24, Python 3.11.2, 1.8 GiB of memory free and 20 GiB of disk", false);
        run.Step(2, "running").Log(2, "warning is in the log", "warning").Step(2, "succeeded", "bind.tar.gz, 12 KiB", true);
        run.Step(3, "running", progress: 0.3, note: "6 of 19 MB");
        await watch.Shows("30% 6 of 19 MB");
        run.Step(3, "retrying", error: "connection reset by the host in the middle of the upload", nextTry: TimeSpan.FromSeconds(9));
        await watch.Shows("next try in");
        run.Step(3, "running", progress: 0.6, note: "12 of 19 MB");
        await watch.Shows("try 2, 60% 12 of 19 MB");
        run.Step(3, "succeeded", "19 MB uploaded", true).Done(4, "managed-servers-dns started").Become("succeeded");
        var end = await watch.End();
        var screen = TerminalScreen.Of(end.Out, columns);

        Assert.Equal(0, end.ExitCode);
        Assert.Equal(0, screen.Broken);
        Assert.False(screen.CursorHidden);
        Assert.Contains('━', end.Out);
        Assert.Contains("Upload the image of Knot 3.2", screen.Text, StringComparison.Ordinal);
        Assert.Single(screen.Lines, l => l.Contains("[2] warning: warning is in the log", StringComparison.Ordinal));
        Assert.Equal(4, screen.Lines.Count(l => l.StartsWith('✓')));
        Assert.Contains("4 of 4 steps, succeeded", screen.Text, StringComparison.Ordinal);
        Assert.Contains("4 steps, 3 changed something.", screen.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_connection_is_one_line_above_the_steps()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running");
        await using var watch = Pty.Start(Msctl, 80, 24, "runs", "watch", $"{run.Id}");
        await watch.Shows("Preflight");
        Product.Away = true;
        Product.CutStreams();
        await watch.Shows("connection lost, trying again…");
        Product.Away = false;
        run.Step(1, "succeeded").Become("succeeded");
        var end = await watch.End();
        var screen = TerminalScreen.Of(end.Out, 80);

        Assert.Equal(0, end.ExitCode);
        Assert.Single(screen.Lines, l => l == "connection lost, trying again…");
        Assert.Single(screen.Lines, l => l.Contains("Preflight", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ctrl_C_gives_the_cursor_back()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running");
        await using var watch = Pty.Start(Msctl, 80, 24, "runs", "watch", $"{run.Id}");
        await watch.Shows("Preflight");
        await watch.Input.WriteAsync('\x03');
        await watch.Input.FlushAsync();
        var end = await watch.End();
        var screen = TerminalScreen.Of(end.Out.Replace("^C", "", StringComparison.Ordinal), 80);

        Assert.Equal(130, end.ExitCode);
        Assert.False(screen.CursorHidden);
        Assert.Contains("Stopped watching; the run goes on.", screen.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_steps_than_lines_show_those_around_the_current_one()
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", [.. Enumerable.Range(1, 40).Select(i => $"Part {i}")]));
        for (var i = 1; i <= 20; i++)
        {
            run.Done(i);
        }

        run.Step(21, "running", progress: 0.5);
        await using var watch = Pty.Start(Msctl, 80, 12, "runs", "watch", $"{run.Id}");
        await watch.Shows("Part 21");
        Assert.DoesNotContain("Part 2 ", watch.OutSoFar, StringComparison.Ordinal);
        run.Become("failed", "enough");
        var end = await watch.End();
        Assert.Equal(5, end.ExitCode);
        Assert.InRange(TerminalScreen.Of(end.Out, 80).Lines.Count(l => l.Contains("Part ", StringComparison.Ordinal)), 3, 9);
    }

    [Theory]
    [InlineData("--no-color")]
    [InlineData("NO_COLOR")]
    public async Task Without_colour_there_are_bars_but_no_colours(string how)
    {
        var run = Product.Run(new ScriptedRun("install dns on ns1", "Preflight"));
        run.Step(1, "running", progress: 0.5);
        if (how == "NO_COLOR")
        {
            Msctl.Environment["NO_COLOR"] = "1";
        }

        await using var watch = Pty.Start(Msctl, 80, 24, ["runs", "watch", $"{run.Id}", .. how == "NO_COLOR" ? Array.Empty<string>() : [how]]);
        await watch.Shows("50%");
        run.Step(1, "succeeded").Become("succeeded");
        var end = await watch.End();

        Assert.Equal(0, end.ExitCode);
        Assert.DoesNotMatch(@"\x1b\[(?:[0-9;]*;)?(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])[;m]", end.Out);   // bold and dim are not colours
    }
}
