using System.Diagnostics;
using System.Text;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Tests.Hosts;

public sealed class RemoteCommandLineTests
{
    private const string Marker = "managed-servers-test";

    // Prints its arguments with NULs between them, which no argument can hold.
    private static readonly string[] Print = ["printf", "%s\\0"];

    public static TheoryData<string> Shells => ["/bin/sh", "/bin/bash", "/usr/bin/fish", "/bin/csh"];

    [Theory]
    [MemberData(nameof(Shells))]
    public void Every_character_arrives_unchanged_whatever_the_login_shell(string shell)
    {
        string[] arguments =
        [
            .. Enumerable.Range(1, 255).Select(c => ((char)c).ToString()),
            .. Enumerable.Range(1, 255).Select(c => $"a{(char)c}{(char)c}b"),
            string.Concat(Enumerable.Range(1, 255).Select(c => (char)c)),
            "", " ", "-n", "--", "-e", "\n", "\n\n", "ends with newline\n", "\\", "\\\\", "\\'", "'\\''", "$(id)", "`id`", "${IFS}", "$0", "!!", "!$", "~root", "*", "{a,b}",
            "a;b", "a&&b", "|", "%s%n", "\\0101", "\\c", "'; rm -rf / #", "日本語 🎉",
        ];

        Assert.Equal(arguments, Arrives(shell, arguments));
    }

    [Fact]
    public void Environment_arrives_unchanged()
    {
        var environment = new Dictionary<string, string> { ["A"] = "it's\n$HOME `id` \\ !", ["B_2"] = "" };

        var line = RemoteCommandLine.For(["sh", "-c", "printf '%s\\0' \"$A\" \"$B_2\""], environment, Marker, false);

        Assert.Equal(environment.Values, Output("/bin/sh", line));
    }

    [Theory]
    [InlineData("A B")]
    [InlineData("")]
    [InlineData("1A")]
    [InlineData("A;id")]
    [InlineData("A\nB")]
    public void A_bad_name_of_a_variable_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => RemoteCommandLine.For(["true"], new Dictionary<string, string> { [name] = "x" }, Marker, false));

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    public void A_program_that_could_be_an_option_is_refused(string program) =>
        Assert.Throws<ArgumentException>(() => RemoteCommandLine.For([program], new Dictionary<string, string>(), Marker, false));

    [Fact]
    public void A_NUL_character_is_refused() =>
        Assert.Throws<ArgumentException>(() => RemoteCommandLine.For(["echo", "a\0b"], new Dictionary<string, string>(), Marker, false));

    [Fact]
    public void A_line_longer_than_Linux_takes_is_refused() =>
        Assert.Throws<ArgumentException>(() => RemoteCommandLine.For(["echo", new string('x', 130_000)], new Dictionary<string, string>(), Marker, false));

    private static string[] Arrives(string shell, string[] arguments) =>
        Output(shell, RemoteCommandLine.For([.. Print, .. arguments], new Dictionary<string, string>(), Marker, false));

    private static string[] Output(string shell, string line)
    {
        var start = new ProcessStartInfo(shell) { RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = new UTF8Encoding(false) };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(line);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        Assert.Matches($"^{Marker} [0-9]+\n$", error.Result);
        return output[(output.IndexOf('\n', StringComparison.Ordinal) + 1)..].Split('\0')[..^1];
    }
}
