using System.Diagnostics;

namespace ManagedServers.Workflows.Tests.Payload;

/// <summary>Waits for a condition, never for a time.</summary>
internal static class Until
{
    public static Task True(string what, Func<bool> condition, int seconds = 30) => True(what, () => Task.FromResult(condition()), seconds);

    public static async Task True(string what, Func<Task<bool>> condition, int seconds = 30)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(seconds), $"Not within {seconds} s: {what}");
            await Task.Delay(50);
        }
    }
}

/// <summary>A program that a test runs to its end.</summary>
internal static class Command
{
    public static async Task<(int ExitCode, string Stdout, string Stderr)> Try(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        })!;
        process.StandardInput.Close();
        var (stdout, stderr) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await stdout, await stderr);
    }

    public static async Task<string> Run(string program, params string[] arguments)
    {
        var (exitCode, stdout, stderr) = await Try(program, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {exitCode}: {stderr}{stdout}");
        return stdout;
    }
}
