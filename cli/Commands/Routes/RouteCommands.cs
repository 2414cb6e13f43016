using System.CommandLine;
using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;
using ManagedServers.Cli.Output;
using ManagedServers.Cli.Session;

namespace ManagedServers.Cli.Commands.Routes;

/// <summary>All routes.</summary>
internal static class ListRoutesCommand
{
    public static DocumentedCommand Build()
    {
        var command = new DocumentedCommand("list", "List SSH routes with their hops and the servers behind them.") { Examples = ["msctl routes list", "msctl routes list -o json"] };
        command.Aliases.Add("ls");
        return command.Does(async (call, cancellationToken) =>
        {
            var routes = await Pages.All(after => call.Product.Routes.List(after, cancellationToken));
            if (call.Json)
            {
                call.Screen.Json(routes.Json);
            }
            else
            {
                RouteTables.List(call.Screen, routes.Value);
            }

            return ExitCode.Done;
        });
    }
}

/// <summary>One route.</summary>
internal static class ShowRouteCommand
{
    private static readonly Argument<string> Name = RouteArgument.Make();

    public static DocumentedCommand Build() => new DocumentedCommand("show", "Show one SSH route.") { Examples = ["msctl routes show dmz"] }.With(Name).Does(async (call, cancellationToken) =>
    {
        RouteTables.Tell(call, await call.Product.Routes.Get(call.Get(Name), cancellationToken));
        return ExitCode.Done;
    });
}

/// <summary>Looks whether a route can be gone.</summary>
internal static class TestRouteCommand
{
    private static readonly Argument<string> Name = RouteArgument.Make();

    public static DocumentedCommand Build() => new DocumentedCommand("test", "Log in on every hop of a route. Changes nothing.")
    {
        Notes = [$"Ends with {ExitCode.Refused} when a hop failed."], Examples = ["msctl routes test dmz"],
    }.With(Name).Does(async (call, cancellationToken) =>
    {
        var test = await call.Product.Routes.Test(call.Get(Name), cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(test.Json);
        }
        else
        {
            Write(call.Screen, test.Value);
        }

        return test.Value.Ok ? ExitCode.Done : ExitCode.Refused;
    });

    private static void Write(Screen screen, RouteTest test)
    {
        var table = new TextTable(("HOST", Fit.Whole), ("RESULT", Fit.Whole), ("TOOK", Fit.Whole));
        foreach (var hop in test.Hops)
        {
            table.Row(hop.Host, hop.Ok ? new Cell("ok", Tone.Good) : new Cell("failed", Tone.Bad), FormattableString.Invariant($"{hop.Milliseconds:0} ms"));
        }

        table.Write(screen, "The route has no hops.");
        foreach (var hop in test.Hops.Where(h => h.Problem is not null))
        {
            screen.Line();
            screen.Line(SafeText.Line(hop.Problem!));
        }
    }
}

/// <summary>Forgets a route.</summary>
internal static class RemoveRouteCommand
{
    private static readonly Argument<string> Name = RouteArgument.Make();
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static DocumentedCommand Build()
    {
        var command = new DocumentedCommand("remove", "Forget an SSH route.")
        {
            Notes = ["Asks first. The product refuses while servers are reached through it."], Examples = ["msctl routes remove dmz", "msctl routes remove dmz --yes"],
        };
        command.Aliases.Add("rm");
        return command.With(Name, Yes, StartedRuns.Plan).Does(Run);
    }

    private static async Task<int> Run(Invocation call, CancellationToken cancellationToken)
    {
        var name = call.Get(Name);
        if (!call.Get(Yes) && !call.Get(StartedRuns.Plan))
        {
            if (!Terminal.CanAsk)
            {
                throw new UsageException($"Whether to remove {SafeText.Line(name)} could not be asked: there is no terminal.", "If you are sure: --yes");
            }

            if (!Terminal.Confirm($"Remove the SSH route {SafeText.Line(name)} with its secrets?"))
            {
                throw new UsageException("Not removed.");
            }
        }

        return await StoredChanges.Do(call, RoutesApi.Remove(name), _ => call.Screen.Note($"Removed {SafeText.Line(name)}."), cancellationToken);
    }
}
