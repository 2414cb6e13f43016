using ManagedServers.Cli.Client;
using ManagedServers.Cli.Commands.Servers;

namespace ManagedServers.Cli.Commands;

/// <summary>What every command does that changes what the product stores: show the plan and change nothing, or do it.</summary>
internal static class StoredChanges
{
    public static async Task<int> Do<T>(Invocation call, ChangeRequest<T> request, Action<Answer<T>> done, CancellationToken cancellationToken)
    {
        if (!call.Get(StartedRuns.Plan))
        {
            done(await call.Product.Changes.Make(request, cancellationToken));
            return ExitCode.Done;
        }

        return await Show(call, request, cancellationToken);
    }

    /// <summary>The plan alone.</summary>
    public static async Task<int> Show<T>(Invocation call, ChangeRequest<T> request, CancellationToken cancellationToken)
    {
        var plan = await call.Product.Changes.Plan(request, cancellationToken);
        if (call.Json)
        {
            call.Screen.Json(plan.Json);
        }
        else
        {
            new PlanText(call.Screen, call.Now).Write(plan.Value);
        }

        return ExitCode.Done;
    }
}
