using System.CommandLine;

namespace ManagedServers.Cli;

/// <summary>A command with what its help shows beside its options.</summary>
internal sealed class DocumentedCommand : Command
{
    public DocumentedCommand(string name, string description) : base(name, description)
    {
    }

    /// <summary>More words, a paragraph each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Command lines to copy.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>It answers in CSV too.</summary>
    public bool AlsoCsv { get; init; }

    public DocumentedCommand With(params Symbol[] symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument: Add(argument); break;
                case Option option: Add(option); break;
                case Command command: Add(command); break;
                default: throw new ArgumentException($"A command cannot hold a {symbol.GetType().Name}.", nameof(symbols));
            }
        }

        return this;
    }

    public DocumentedCommand Does(Func<Invocation, CancellationToken, Task<int>> body)
    {
        SetAction((parse, cancellationToken) => Guard.Run(parse, (call, token) => !call.Csv || AlsoCsv
            ? body(call, token)
            : throw new UsageException($"{Name} has no answer in CSV.", "-o json is for programs too."), cancellationToken));
        return this;
    }
}
