using System.Collections.Concurrent;
using ManagedServers.Engine;
using ManagedServers.Workflows.Servers;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Drift;

/// <param name="ServerId">One server; null for all.</param>
/// <param name="ServerName">For the title.</param>
public sealed record CheckDriftInput(Guid? ServerId = null, string? ServerName = null);

/// <summary>Compares hosts with what their servers were asked to be. Changes nothing on any of them.</summary>
[Workflow(Kind, version: 1)]
public sealed class CheckDriftWorkflow : IWorkflow<CheckDriftInput>
{
    public const string Kind = "check-drift";

    public string Title(CheckDriftInput input) => $"check {input.ServerName ?? "all servers"} for drift";

    public void Describe(WorkflowPlan<CheckDriftInput> plan) =>
        plan.Step("look", "Compare what is there with what was asked", LookForDrift.With(plan.Input)).Timeout(TimeSpan.FromHours(1)).OnFailure(StepFailure.Fail);
}

/// <param name="Drifted">Servers with findings.</param>
/// <param name="NotLooked">Servers that could not be reached, or at which a run was at work.</param>
public sealed record DriftSweep(int Checked, int Drifted, int NotLooked);

/// <summary>One look at each server. One that cannot be reached is a line of the log and holds up nobody.</summary>
public sealed class LookForDrift(Servers.Servers servers, DriftLook look) : Step<LookForDrift, CheckDriftInput, DriftSweep>
{
    // Each is a connection and some tens of milliseconds of a host; a node has other work too.
    private const int AtOnce = 8;
    private const int PageSize = 200;

    // A host that answers nothing must not keep one of the eight for long.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public override async Task<DriftSweep> Run(CheckDriftInput input, StepContext step)
    {
        var all = await Servers(input, step.Cancellation);
        var outcomes = new ConcurrentBag<DriftOutcome>();
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = step.Cancellation }, async (server, cancellationToken) =>
        {
            var outcome = await Look(server, cancellationToken);
            outcomes.Add(outcome);
            step.Log($"{outcome.Server}: {outcome.What}", outcome.Findings is 0 ? LogLevel.Information : LogLevel.Warning);
            step.Progress(outcomes.Count / (double)all.Count, $"{outcomes.Count} of {all.Count} servers");
        });

        var sweep = new DriftSweep(outcomes.Count(o => o.Findings is not null), outcomes.Count(o => o.Findings > 0), outcomes.Count(o => o.Findings is null));
        step.Unchanged($"{sweep.Checked} looked at, {sweep.Drifted} with drift{(sweep.NotLooked > 0 ? $", {sweep.NotLooked} not looked at" : "")}");
        return sweep;
    }

    private async Task<DriftOutcome> Look(Server server, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            return await look.At(server, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DriftOutcome(server.Name, null, $"no answer within {Patience.TotalMinutes:0} min");
        }
        catch (ServerNotFoundException)
        {
            return new DriftOutcome(server.Name, null, "removed meanwhile");
        }
    }

    /// <summary>Those on which something is installed.</summary>
    private async Task<List<Server>> Servers(CheckDriftInput input, CancellationToken cancellationToken)
    {
        if (input.ServerId is { } id)
        {
            return [await servers.Get(id.ToString(), cancellationToken)];
        }

        List<Server> all = [];
        IReadOnlyList<Server> page;
        do
        {
            page = await servers.List(null, all.LastOrDefault()?.Name, PageSize, cancellationToken);
            all.AddRange(page);
        }
        while (page.Count == PageSize);
        return all.FindAll(s => s.Components.Count > 0);
    }
}
