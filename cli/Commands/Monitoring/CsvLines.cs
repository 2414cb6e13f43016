using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Monitoring;

/// <summary>An answer in CSV on standard output.</summary>
internal static class CsvLines
{
    public static async Task<int> Write(Invocation call, Query query, CancellationToken cancellationToken)
    {
        foreach (var line in SafeText.Lines(await call.Product.Monitoring.Csv(query, cancellationToken)))
        {
            call.Screen.Line(line);
        }

        return ExitCode.Done;
    }
}
