namespace ManagedServers.Cli.Commands;

/// <summary>Which msctl this is.</summary>
internal static class VersionCommand
{
    public static DocumentedCommand Build() => new DocumentedCommand("version", "Show the version of msctl.").Does((call, _) =>
    {
        var version = typeof(VersionCommand).Assembly.GetName().Version!.ToString(3);
        call.Screen.Line(call.Json ? $$"""{"msctl":"{{version}}"}""" : $"msctl {version}");
        return Task.FromResult(ExitCode.Done);
    });
}
