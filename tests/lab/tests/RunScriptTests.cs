using System.Diagnostics;
using System.Globalization;

namespace ManagedServers.Lab.Tests;

/// <summary>What ./run promises to the machine that it runs on: it ends what it started, and nothing else.</summary>
public sealed class RunScriptTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("run script ");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 143)]
    [InlineData("INT", 130)]
    public async Task A_run_that_is_told_to_stop_ends_what_it_started(string signal, int expected)
    {
        using var run = Script("start bash -c 'sleep 600 & sleep 600'; echo $started; wait $started");
        var child = await ReadProcess(run);

        Process.Start("kill", [$"-{signal}", $"{run.Id}"]).WaitForExit();
        await run.WaitForExitAsync();

        Assert.Equal(expected, run.ExitCode);
        await AssertSessionEnded(child);
        Assert.Empty(Records());
    }

    [Fact]
    public async Task A_database_that_a_killed_product_left_behind_is_ended_with_the_run()
    {
        // Stands for PostgreSQL: a process in its folder, whose number is in postmaster.pid, and which SIGINT ends.
        using var run = Script("""
            configuration=Release; . "$root/scripts/product.sh"
            d=$(served_data --node x --data "$artifacts/of serve")/postgres
            mkdir -p "$d"; cd "$d"
            env --default-signal=INT sleep 600 & echo $! | tee postmaster.pid
            own idle-postgres "$d"
            exit 3
            """);
        var database = await ReadProcess(run);
        await run.WaitForExitAsync();

        Assert.Equal(3, run.ExitCode);
        Assert.False(Directory.Exists($"/proc/{database}"));
    }

    [Fact]
    public async Task A_run_that_fails_ends_what_it_started_and_keeps_its_exit_code()
    {
        using var run = Script("start sleep 600; echo $started; attend bash -c 'exit 7'; echo not reached");
        var child = await ReadProcess(run);
        await run.WaitForExitAsync();

        Assert.Equal(7, run.ExitCode);
        await AssertSessionEnded(child);
    }

    [Fact]
    public async Task What_a_killed_run_started_is_ended_by_the_next_and_what_a_living_one_has_stays()
    {
        using var living = Script("start sleep 600; echo $started; wait $started");
        using var killed = Script("start sleep 600; echo $started; wait $started");
        var kept = await ReadProcess(living);
        var left = await ReadProcess(killed);
        killed.Kill();
        await killed.WaitForExitAsync();

        using var next = Script("echo 1");
        await next.WaitForExitAsync();

        await AssertSessionEnded(left);
        Assert.NotNull(LabOwner.IfAlive(kept));
        Assert.Single(Records());
        Process.Start("kill", [$"{living.Id}"]).WaitForExit();
        await living.WaitForExitAsync();
    }

    [Fact]
    public async Task What_a_run_starts_does_not_inherit_a_deaf_ear_for_ctrl_c()
    {
        using var run = Script("attend sed -n 's/^SigIgn:.*\\(.\\)$/\\1/p' /proc/self/status");

        var lastDigit = Convert.ToInt32(await run.StandardOutput.ReadLineAsync(), 16);

        Assert.Equal(0, lastDigit & 0b110); // SIGINT is 2, SIGQUIT 3
    }

    [Fact]
    public async Task A_process_that_has_the_number_of_an_ended_one_is_left_alone()
    {
        using var stranger = new OwnedProcess();
        using var run = Script($"own process {stranger.Owner.ProcessId} 12345");
        await run.WaitForExitAsync();

        Assert.False(stranger.Owner.IsGone);
    }

    [Fact]
    public async Task The_report_sums_all_projects_and_shows_failures()
    {
        Trx("A", """<UnitTestResult testName="works" outcome="Passed"/><UnitTestResult testName="later" outcome="NotExecuted"/>""");
        Trx("B", """
            <UnitTestResult testName="The_sky_is_blue" outcome="Failed" duration="00:00:01"><Output><ErrorInfo>
              <Message>it was grey</Message><StackTrace>at Sky.cs:line 1</StackTrace></ErrorInfo></Output></UnitTestResult>
            """);

        var (_, shown) = await Report("project", Path.Combine(_folder.FullName, "B"), "1");
        var (exitCode, total) = await Report("total", _folder.FullName);

        Assert.Contains("FAILED The_sky_is_blue", shown, StringComparison.Ordinal);
        Assert.Contains("it was grey", shown, StringComparison.Ordinal);
        Assert.Equal("1 passed, 1 failed, 1 skipped", total);
        Assert.Equal(1, exitCode);
    }

    [Fact]
    public async Task A_test_process_that_crashed_counts_as_a_failure()
    {
        Trx("A", """<UnitTestResult testName="works" outcome="Passed"/>""");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "B.log"), "the test host crashed\n");

        var (_, shown) = await Report("project", Path.Combine(_folder.FullName, "B"), "134");
        var (exitCode, total) = await Report("total", _folder.FullName);

        Assert.Contains("the test host crashed", shown, StringComparison.Ordinal);
        Assert.Equal((1, "1 passed, 1 failed, 0 skipped"), (exitCode, total));
    }

    [Fact]
    public async Task A_run_in_which_no_test_was_executed_fails()
    {
        Trx("A", "");

        var (exitCode, total) = await Report("total", _folder.FullName);

        Assert.Equal(1, exitCode);
        Assert.EndsWith("0 passed, 0 failed, 0 skipped", total, StringComparison.Ordinal);
    }

    private Process Script(string body)
    {
        var script = $"""
            set -euo pipefail
            root={LabSetup.Quote(LabImages.Repository)} artifacts={LabSetup.Quote(_folder.FullName)}
            . "$root/scripts/ownership.sh"
            . "$root/scripts/docker.sh"
            begin
            {body}
            """;
        var start = new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true };
        start.Environment["MANAGED_SERVERS_RUN_STATE"] = State;
        return Process.Start(start)!;
    }

    private string State => Path.Combine(_folder.FullName, "state");

    private string[] Records() => Directory.GetFiles(State, "*.*").Where(file => Path.GetFileName(file) != ".lock").ToArray();

    private static async Task<int> ReadProcess(Process run) =>
        int.Parse((await run.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);

    /// <summary>All of the session, not only its first process.</summary>
    private static async Task AssertSessionEnded(int leader)
    {
        using var search = Process.Start(new ProcessStartInfo("pgrep", ["--session", $"{leader}", "--runstates", "R,S,D,T"]) { RedirectStandardOutput = true })!;
        Assert.Equal("", await search.StandardOutput.ReadToEndAsync());
    }

    private void Trx(string name, string results) => File.WriteAllText(Path.Combine(_folder.FullName, name + ".trx"),
        $"""<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>{results}</Results></TestRun>""");

    private static async Task<(int ExitCode, string Text)> Report(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(LabImages.Repository, "scripts/test-report.py"), arguments) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, text.Trim());
    }
}
