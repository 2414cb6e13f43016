using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli;

/// <summary>One call of a command: its options, where it prints, and the product it talks to.</summary>
internal sealed class Invocation : IDisposable
{
    private readonly Lazy<ProductClient> product;

    public Invocation(ParseResult parse)
    {
        Parse = parse;
        Screen = new Screen(parse.GetValue(GlobalOptions.NoColor));
        Login = LoginFile.Default();
        Connection = new Connection(parse, Login);
        product = new Lazy<ProductClient>(() => Connection.Client(Time));
    }

    public ParseResult Parse { get; }

    public Screen Screen { get; }

    public LoginFile Login { get; }

    public Connection Connection { get; }

    public TimeProvider Time { get; } = TimeProvider.System;

    public bool Json => Parse.GetValue(GlobalOptions.Output) == "json";

    public bool Csv => Parse.GetValue(GlobalOptions.Output) == "csv";

    /// <summary>The product, with credentials; asks for them now at the latest.</summary>
    public ProductClient Product => product.Value;

    public DateTimeOffset Now => Time.GetUtcNow();

    public T? Get<T>(Option<T> option) => Parse.GetValue(option);

    public T Get<T>(Argument<T> argument) => argument.Arity.MinimumNumberOfValues == 0 ? Parse.GetValue(argument)! : Parse.GetRequiredValue(argument);

    public void Dispose()
    {
        if (product.IsValueCreated)
        {
            product.Value.Dispose();
        }
    }
}
