using System.CommandLine;
using ManagedServers.Cli.Client;

namespace ManagedServers.Cli.Commands.Runs;

/// <summary>The run that a command is about.</summary>
internal static class RunArgument
{
    // Fewer characters would soon fit more than one run.
    private const int Shortest = 4;
    private const int Searched = 200;

    public static Argument<string> Make() => new("RUN") { Description = $"Id of the run; the beginning or the end of it will do if only one of the newest {Searched} has it" };

    public static async Task<Guid> Resolve(Invocation call, Argument<string> argument, CancellationToken cancellationToken)
    {
        var text = call.Get(argument).Trim();
        if (Guid.TryParse(text, out var id))
        {
            return id;
        }

        if (text.Length < Shortest || text.Any(c => !char.IsAsciiHexDigit(c) && c != '-'))
        {
            throw new UsageException($"'{text}' is not the id of a run.", "What there is: msctl runs list");
        }

        var newest = (await call.Product.Runs.List(null, null, null, null, Searched, cancellationToken)).Value.Items.Select(r => r.Id);
        var fitting = newest.Where(r => r.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase) || r.ToString().EndsWith(text, StringComparison.OrdinalIgnoreCase)).ToList();
        return fitting switch
        {
            [var only] => only,
            [] => throw new UsageException($"None of the newest runs has an id that begins or ends with '{text}'.", "What there is: msctl runs list"),
            _ => throw new UsageException($"{fitting.Count} runs have ids that begin or end with '{text}': {string.Join(", ", fitting.Take(3))}{(fitting.Count > 3 ? ", …" : "")}", "Give more of it."),
        };
    }
}
