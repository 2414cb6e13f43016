using System.CommandLine;
using System.Diagnostics;
using ManagedServers.Cli.Commands;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Tests.Running;

namespace ManagedServers.Cli.Tests;

/// <summary>What msctl says of itself, and how it prints what others said.</summary>
public sealed class HelpTests : IDisposable
{
    private readonly Msctl msctl = new();

    public void Dispose() => msctl.Dispose();

    [Fact]
    public async Task Without_arguments_it_prints_help_with_every_exit_code()
    {
        var end = await msctl.Run();
        Assert.Equal(0, end.ExitCode);
        foreach (var (code, meaning) in ExitCode.All)
        {
            Assert.Contains($"{code,5}  {meaning}\n", end.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_command_has_a_description_of_itself_and_of_all_it_takes()
    {
        foreach (var command in All(Root.Build()))
        {
            Assert.False(string.IsNullOrWhiteSpace(command.Description), command.Name);
            Assert.All(command.Options, o => Assert.False(string.IsNullOrWhiteSpace(o.Description), $"{command.Name} {o.Name}"));
            Assert.All(command.Arguments, a => Assert.False(string.IsNullOrWhiteSpace(a.Description), $"{command.Name} {a.Name}"));
            using var help = new StringWriter();
            HelpText.Write(command, help);
            Assert.All(help.ToString().Split('\n').TakeWhile(l => l != "Examples:"), l => Assert.InRange(l.Length, 0, 100));
        }
    }

    [Fact]
    public void Every_command_that_changes_something_has_a_plan()
    {
        // Those that only look, and those about this msctl's own sign-in.
        string[] without =
        [
            "login", "logout", "whoami", "tokens list", "servers list", "servers show", "servers test", "servers metrics", "routes list", "routes show", "routes test", "commands list", "commands show",
            "config show", "config versions", "config diff", "drift list", "drift check", "runs list", "runs show", "runs watch", "runs log", "settings list", "settings show", "settings history",
            "settings rabbitmq show", "settings rabbitmq test", "heartbeats", "hits", "unasked", "dhcp subnets", "dhcp leases", "version", "completion",
            "alerts list", "alerts health", "alerts rules list", "alerts rules show", "alerts rules preview", "alerts maintenance list", "alerts channels list", "alerts channels test",
        ];
        Assert.Equal(without.Order(), Leaves(Root.Build(), "").Where(l => !l.Command.Options.Contains(StartedRuns.Plan)).Select(l => l.Path).Order());
    }

    [Fact]
    public void Every_example_is_a_command_line_that_is_understood()
    {
        foreach (var example in All(Root.Build()).OfType<DocumentedCommand>().SelectMany(c => c.Examples).Where(e => e.StartsWith("msctl ", StringComparison.Ordinal)))
        {
            var parsed = Root.Build().Parse(example.Split(" | ")[0].Replace('\'', '"')["msctl ".Length..]);
            Assert.True(parsed.Errors.Count == 0, $"{example}: {string.Join(" ", parsed.Errors)}");
        }
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("version")]
    public async Task Output_that_cannot_be_written_is_told_in_a_line_and_not_taken_for_done(string what)
    {
        using var full = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$0\" \"$1\" > /dev/full", Msctl.Executable, what]) { RedirectStandardError = true })!;
        var said = await full.StandardError.ReadToEndAsync();
        await full.WaitForExitAsync();

        Assert.Equal((1, "msctl: The output could not be written: No space left on device. What was asked of the product may have been done: look with msctl runs list.\n"), (full.ExitCode, said));
    }

    [Theory]
    [InlineData("servers add")]
    [InlineData("servers lits")]
    [InlineData("runs watch")]
    [InlineData("whoami -o xml")]
    [InlineData("hits ns1 --sort size")]
    [InlineData("runs list --limit 0")]
    [InlineData("tokens revoke 12")]
    [InlineData("config restore ns1 dns three")]
    public async Task A_wrong_command_line_ends_with_2_and_says_where_help_is(string line)
    {
        var end = await msctl.Run(line.Split(' '));
        Assert.Equal(2, end.ExitCode);
        Assert.Equal("", end.Out);
        Assert.StartsWith("msctl: ", end.Error, StringComparison.Ordinal);
        Assert.Contains("--help", end.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", end.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ns1")]
    [InlineData("web server")]
    [InlineData("it's $(reboot) `id` \"$HOME\" *;&|<>~#!\\")]
    [InlineData("ü")]
    public async Task A_name_in_a_line_to_copy_is_one_word_to_a_shell(string name)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", $"printf %s {ShellWord.Of(name)}"]) { RedirectStandardOutput = true })!;
        Assert.Equal(name, await shell.StandardOutput.ReadToEndAsync());
        Assert.Equal("'it'\\''s'", ShellWord.Of("it's"));
    }

    [Fact]
    public async Task Completion_is_answered_by_msctl_itself()
    {
        var end = await msctl.Run("[suggest:8]", "msctl se");
        Assert.Contains("servers", end.Lines);
        Assert.Contains("complete -o default -F _msctl msctl", (await msctl.Run("completion", "bash")).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain text – ünïcode 漢字", "plain text – ünïcode 漢字")]
    [InlineData("\e[31mred\e[0m", @"\x1b[31mred\x1b[0m")]
    [InlineData("two\nlines\r", @"two\nlines\r")]
    [InlineData("\u009b31m", @"\x9b31m")]
    [InlineData("abc\u202edcb", @"abc\u202edcb")]
    public void Control_characters_become_visible(string text, string safe) => Assert.Equal(safe, SafeText.Line(text));

    [Fact]
    public void Json_keeps_its_value_when_it_is_made_safe()
    {
        var safe = SafeText.Json("{\"a\":\"\u009b\u202e\"}");
        Assert.Equal("""{"a":"\u009b\u202e"}""", safe);
        Assert.Equal("\u009b\u202e", System.Text.Json.JsonDocument.Parse(safe).RootElement.GetProperty("a").GetString());
    }

    [Theory]
    [InlineData("abcdef", 4, "abc…")]
    [InlineData("漢字漢字", 5, "漢字…")]
    [InlineData("abc", 3, "abc")]
    public void Text_is_cut_by_the_cells_that_it_takes(string text, int cells, string cut) => Assert.Equal(cut, TextTable.Cut(text, cells));

    private static IEnumerable<(string Path, Command Command)> Leaves(Command command, string path) => command.Subcommands.Count == 0 ? [(path.Trim(), command)]
        : command.Subcommands.SelectMany(c => Leaves(c, $"{path} {c.Name}"));

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
