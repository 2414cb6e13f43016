using System.CommandLine;
using System.Diagnostics;
using ManagedServers.Cli.Commands;
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
    public async Task A_wrong_command_line_ends_with_2_and_says_where_help_is(string line)
    {
        var end = await msctl.Run(line.Split(' '));
        Assert.Equal(2, end.ExitCode);
        Assert.Equal("", end.Out);
        Assert.StartsWith("msctl: ", end.Error, StringComparison.Ordinal);
        Assert.Contains("--help", end.Error, StringComparison.Ordinal);
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

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
