using System.CommandLine;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;

namespace ManagedServers.Cli.Commands.Config;

/// <summary>What is different between two versions, as diff -u writes it.</summary>
internal static class DiffCommand
{
    private static readonly Argument<string> Name = ServerArgument.Make();
    private static readonly Argument<string> Component = ConfigArguments.Component();
    private static readonly Argument<int> From = ConfigArguments.Version("FROM", "The one version");
    private static readonly Argument<int> To = ConfigArguments.Version("TO", "The other version");

    public static DocumentedCommand Build() => new DocumentedCommand("diff", "Show what is different between two versions.")
    {
        Examples = ["msctl config diff ns1 dns 3 4"],
    }.With(Name, Component, From, To).Does(async (call, cancellationToken) =>
    {
        var diff = await call.Product.Configuration.Diff(call.Get(Name), call.Get(Component), call.Get(From), call.Get(To), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(diff.Json);
            return ExitCode.Done;
        }

        foreach (var line in diff.Value.Changes.SelectMany(c => SafeText.Lines(c.Diff)))
        {
            call.Screen.Line(call.Screen.Paint(line, line switch
            {
                ['+', ..] => Tone.Good,
                ['-', ..] => Tone.Bad,
                ['@', ..] => Tone.Busy,
                _ => Tone.Plain,
            }));
        }

        if (diff.Value.Changes.Count == 0)
        {
            call.Screen.Note("Nothing is different.", Tone.Quiet);
        }

        return ExitCode.Done;
    });
}
