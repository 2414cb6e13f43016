using System.Diagnostics;
using System.Text;
using ManagedServers.Workflows.Enrolment;

namespace ManagedServers.Workflows.Tests.Enrolment;

public sealed class EnrolScriptTests
{
    // Modules that came after 3.6, and names of those that are used which did.
    private const string Check =
        """
        import ast, sys
        text = sys.stdin.read()
        tree = ast.parse(text, feature_version=(3, 6))
        late = {"capture_output", "waitstatus_to_exitcode", "removeprefix", "removesuffix", "fromisoformat", "cached_property", "shlex.join", "text", "dirs_exist_ok", "missing_ok"}
        modules = {"dataclasses", "contextvars", "zoneinfo", "tomllib", "graphlib", "importlib"}
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
                assert not modules & {n.split(".")[0] for n in names}, names
            if isinstance(node, ast.Attribute):
                assert node.attr not in late, (node.attr, node.lineno)
            if isinstance(node, ast.keyword):
                assert node.arg not in late, (node.arg, node.lineno)
            assert not isinstance(node, ast.NamedExpr), node.lineno
        print("fine")
        """;

    // As a user without a home folder.
    private const string AsNobody =
        """
        import os, sys
        script = {"__name__": "enrol", "PRODUCT": ("192.0.2.1", 1), "AUTHORITY": ""}
        exec(compile(sys.stdin.read(), "enrol.py", "exec"), script)
        os.environ["HOME"] = "/nonexistent"
        if os.geteuid() == 0:
            os.setuid(65534)
        script["main"]([])
        """;

    [Fact]
    public async Task Who_is_not_root_is_told_so_in_a_line() =>
        Assert.Equal("You are not root here, and nothing was done: run the line with sudo before it.", await Python(Encoding.UTF8.GetString(EnrolmentLine.Script), AsNobody));

    [Fact]
    public async Task The_script_and_the_line_are_written_in_Python_3_6() => Assert.Equal(["fine", "fine"], [await Python(Encoding.UTF8.GetString(EnrolmentLine.Script)), await Python(Inner(Line("https://192.0.2.1:8443")))]);

    [Theory]
    [InlineData("https://192.0.2.1:8443", "A=(\"192.0.2.1\",8443);")]
    [InlineData("https://[2001:db8::1]:8443", "A=(\"2001:db8::1\",8443);")]
    [InlineData("https://product.example", "A=(\"product.example\",443);")]
    public void The_line_holds_the_address_and_two_digests_and_can_be_pasted(string product, string address)
    {
        var line = Line(product);
        Assert.Contains(address, line, StringComparison.Ordinal);
        Assert.InRange(line.Length, 0, 1000);
        Assert.DoesNotContain('\n', line);
        Assert.DoesNotContain('\'', Inner(line));
    }

    private static string Line(string product) => EnrolmentLine.Render(new Uri(product), new string('a', 64), new string('b', 64));

    private static string Inner(string line) => line["python3 -c '".Length..^1];

    private static async Task<string> Python(string text, string program = Check)
    {
        using var python = Process.Start(new ProcessStartInfo("python3", ["-c", program]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await python.StandardInput.WriteAsync(text);
        python.StandardInput.Close();
        var said = await python.StandardOutput.ReadToEndAsync() + await python.StandardError.ReadToEndAsync();
        await python.WaitForExitAsync();
        return said.Trim();
    }
}
