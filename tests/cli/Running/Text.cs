using System.Text.RegularExpressions;

namespace ManagedServers.Cli.Tests.Running;

/// <summary>Output without what differs from run to run.</summary>
public static partial class Text
{
    public static string Timeless(string line) => Spans().Replace(Times().Replace(line, "T"), " S");

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ")]
    private static partial Regex Times();

    [GeneratedRegex(@" \d+\.\d s\b")]
    private static partial Regex Spans();
}
