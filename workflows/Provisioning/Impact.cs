using ManagedServers.Engine;
using ManagedServers.Workflows.Servers;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Works out who notices a run: from what is installed and what comes with it, on this server and on all others.</summary>
internal sealed class Impact(Configurations configurations, Server server, Concern concern)
{
    private const int MostShown = 500;

    /// <summary>The step at which the run would end as things are; null where none shows.</summary>
    public static StepPlan? FailureOf(RunPlan plan) => plan.Steps.FirstOrDefault(s => s.Preview?.Failure is not null && s.OnFailure != StepFailure.Continue);

    public async Task<IReadOnlyList<ServiceImpact>> Of(RunPlan plan, CancellationToken cancellationToken)
    {
        // What comes after a failure says nothing, and nothing of it would happen.
        var failure = FailureOf(plan);
        IReadOnlyList<StepPlan> reached = [.. plan.Steps.TakeWhile(s => s != failure)];
        var sawAll = reached.All(s => s.Preview is { Unknown: null });
        if (failure is not null && sawAll && Component.Serving.All(c => LastOf(reached, c) is null))
        {
            return [];
        }

        List<ServiceImpact> affected = [];
        foreach (var component in Component.Serving.Where(concern.Components.Contains))
        {
            if (await Of(component, How(LastOf(reached, component), sawAll), cancellationToken) is { } impact)
            {
                affected.Add(impact);
            }
        }

        return affected;
    }

    /// <summary>Whom the server serves, for what leaves that alone.</summary>
    public async Task<IReadOnlyList<ServiceImpact>> Served(CancellationToken cancellationToken)
    {
        List<ServiceImpact> served = [];
        foreach (var component in Component.Serving)
        {
            if (await Of(component, ServiceInterruption.None, cancellationToken, alsoUnchanged: true) is { } impact)
            {
                served.Add(impact);
            }
        }

        return served;
    }

    private async Task<ServiceImpact?> Of(string component, ServiceInterruption interruption, CancellationToken cancellationToken, bool alsoUnchanged = false)
    {
        var installed = (await configurations.Current(server.Id, component, cancellationToken))?.Configuration;
        IReadOnlyDictionary<string, string> before = installed?.Served ?? new Dictionary<string, string>();
        IReadOnlyDictionary<string, string> after = concern.TakesAway ? new Dictionary<string, string>()
            : concern.Configurations.FirstOrDefault(c => c.Configuration.Component == component)?.Configuration.Served ?? before;
        var effects = before.Keys.Union(after.Keys).ToDictionary(n => n, n => Effect(before.GetValueOrDefault(n), after.GetValueOrDefault(n)));
        var keysLost = concern.TakesAway && component == Component.Dns ? await configurations.ZonesWithKeys(server.Id, cancellationToken) : [];
        if (keysLost.Count == 0 && (effects.Count == 0 || (!alsoUnchanged && interruption == ServiceInterruption.None && effects.Values.All(e => e == ServedEffect.Unchanged))))
        {
            return null;
        }

        var elsewhere = await configurations.ServedElsewhere(server.Id, component, [.. effects.Keys], cancellationToken);
        var interrupted = interruption is ServiceInterruption.Restart or ServiceInterruption.Stop or ServiceInterruption.Unknown;
        return new ServiceImpact
        {
            Component = component, Interruption = interruption, Total = effects.Count,
            Served = [.. effects.OrderBy(e => e.Value == ServedEffect.Unchanged).ThenBy(e => e.Key, StringComparer.Ordinal).Take(MostShown).Select(e => new ServedName(e.Key, e.Value, [.. elsewhere[e.Key]]))],
            KeysLost = keysLost,
            SoleServerFor = [.. before.Keys.Where(n => (interrupted || effects[n] == ServedEffect.Removed) && !elsewhere.Contains(n)).Order(StringComparer.Ordinal)],
        };
    }

    private static ServedEffect Effect(string? before, string? after) =>
        before is null ? ServedEffect.Added : after is null ? ServedEffect.Removed : before == after ? ServedEffect.Unchanged : ServedEffect.Changed;

    /// <summary>What becomes of the component's container.</summary>
    private static PlannedChange? LastOf(IReadOnlyList<StepPlan> steps, string component) =>
        steps.SelectMany(s => s.Preview?.Changes ?? []).LastOrDefault(c => c.Thing == "container" && c.Name == Component.ContainerName(component));

    private static ServiceInterruption How(PlannedChange? container, bool sawAll) => container?.Kind switch
    {
        ChangeKind.Add or ChangeKind.Start => ServiceInterruption.Start,
        ChangeKind.Change or ChangeKind.Restart => ServiceInterruption.Restart,
        ChangeKind.Remove or ChangeKind.Stop => ServiceInterruption.Stop,
        ChangeKind.Reload => ServiceInterruption.Reload,
        _ => sawAll ? ServiceInterruption.None : ServiceInterruption.Unknown,
    };
}
