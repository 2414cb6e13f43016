using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Engine;

/// <summary>Claims a run for this node, checks that the plan of today still fits it, and executes it.</summary>
internal sealed class Dispatcher(
    Claims claims, Journal journal, WorkflowCatalog catalog, LiveRuns runs, RunLogs logs, RunQueue queue, StepRunner steps, Waits waits, Notifier notifier,
    Text text, NodeIdentity node, EngineOptions options, TimeProvider time, ILogger<Dispatcher> logger)
{
    /// <summary>Gives the line of a run that paused or failed here; null otherwise.</summary>
    public async Task<string?> Dispatch(Guid id, string jobId)
    {
        var asked = Stopwatch.GetTimestamp();
        if (runs.IsAtWorkFor(id))
        {
            await claims.LayAside(id);
            return null;
        }

        if (node.Stopping)
        {
            return null;
        }

        if (await claims.Take(id, jobId) is not { } claimed)
        {
            foreach (var first in await claims.First(id))
            {
                await queue.TryEnqueue(first);
            }

            return null;
        }

        using var log = logs.Open(claimed);
        using var live = new LiveRun(id, claimed.Fence, log, asked);
        runs.Add(live);
        try
        {
            notifier.Changed(id);
            return await Execute(claimed, live);
        }
        catch (Exception fault)
        {
            logger.LogError(fault, "Run {Run} was given up by node {Node} after an error of the engine itself.", id, node.Name);
            var why = text.OneLine($"The engine itself failed while this run was under way: {Words.Of(fault)} Retry it; if it fails again, look into the log of node {node.Name}.");
            foreach (var next in await new RunWriter(live, claimed, journal, queue, notifier, time).Persist(() => journal.GiveUp(live, why)) ?? [])
            {
                await queue.TryEnqueue(next);
            }

            return $"The run is paused. {why}";
        }
        finally
        {
            runs.Remove(live);
            logs.Close(log);
            notifier.Changed(id);
        }
    }

    private async Task<string?> Execute(ClaimedRun claimed, LiveRun live)
    {
        var writer = new RunWriter(live, claimed, journal, queue, notifier, time);
        var rows = claimed.IsFirst ? [] : await writer.Persist(() => journal.Read(live.Id));
        if (rows is null)
        {
            return writer.Stopped;
        }

        var memory = new JournalMemory(rows);
        var (plan, misfit) = Fit(claimed, memory);
        if (plan is null)
        {
            await writer.Leave(memory.Position(claimed), null, new Departure("paused", misfit!, Heeded: true), new Note("paused", misfit));
            return writer.Stopped;
        }

        if (claimed.CancelMode is { } mode)
        {
            writer.CancelIs(mode, claimed.CancelBy, claimed.CancelWhy);
            live.Stop(mode);
        }

        if (!await Replan(claimed, live, plan, writer))
        {
            return writer.Stopped;
        }

        await new RunExecution(claimed, live, plan, memory, writer, steps, waits, text, node, options, time).Go();
        return writer.Stopped;
    }

    private async Task<bool> Replan(ClaimedRun claimed, LiveRun live, BuiltPlan plan, RunWriter writer)
    {
        var stored = Stored(claimed);
        var version = catalog.Find(claimed.Kind)!.Version;
        return (version == claimed.Version && stored.SameAs(plan.Snapshot()))
            || await writer.Persist(async () => (object?)await journal.Replan(live, version, plan.Snapshot())) is true;
    }

    private (BuiltPlan? Plan, string? Misfit) Fit(ClaimedRun claimed, JournalMemory memory)
    {
        if (catalog.Find(claimed.Kind) is not { } definition)
        {
            return (null, $"Node {node.Name} knows no workflow '{claimed.Kind}'. Deploy the version that has it, then retry; or cancel the run.");
        }

        try
        {
            var plan = definition.Build(JsonSerializer.Deserialize<JsonElement>(claimed.Input));
            return Stored(claimed).FirstMisfit(plan.Snapshot(), memory.StepsBegun) is { } step
                ? (null, Misfit(claimed, definition.Version, step))
                : (plan, null);
        }
        catch (Exception fault)
        {
            return (null, text.OneLine($"The plan of '{claimed.Kind}' version {definition.Version} cannot be made from this run's input: {fault.Message}"));
        }
    }

    private string Misfit(ClaimedRun claimed, int version, string step) => version == claimed.Version
        ? $"The plan of '{claimed.Kind}' was changed by a deploy without raising its version, {version}: in the one of node {node.Name}, step '{step}', already begun, is not where it was. "
            + "Deploy the former plan again and retry, or cancel the run and start a new one; and raise the version of the new plan."
        : $"The plan of '{claimed.Kind}' was changed by a deploy: this run was begun with version {claimed.Version}, node {node.Name} has version "
            + $"{version}, in which step '{step}', already begun, is not where it was. Deploy version {claimed.Version} again and retry, or cancel the run and start a new one.";

    private static PlanSnapshot Stored(ClaimedRun claimed) => JsonSerializer.Deserialize<PlanSnapshot>(claimed.Plan, EngineJson.Options)!;
}
