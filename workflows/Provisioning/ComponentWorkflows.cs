using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Provisioning;

/// <summary>Which components of a server are started, stopped or restarted.</summary>
/// <param name="Components">In the order in which they are started.</param>
/// <param name="DnsConfiguration">What is asked of DNS to prove that it serves again; null where it is not concerned.</param>
public sealed record ComponentsInput(Guid ServerId, string ServerName, IReadOnlyList<string> Components, Guid? DnsConfiguration)
{
    /// <summary>Null where there are none.</summary>
    public CommandsAround? Commands { get; init; }
}

/// <summary>Starts components that are stopped.</summary>
[Workflow(Kind, version: 5)]
public sealed class StartWorkflow : IWorkflow<ComponentsInput>
{
    public const string Kind = "start";

    public string Title(ComponentsInput input) => ComponentPlan.Title(Kind, input);

    public void Describe(WorkflowPlan<ComponentsInput> plan)
    {
        ComponentPlan.Begin(plan);
        foreach (var component in plan.Input.Components)
        {
            plan.Step($"start-{component}", $"Start {component}", StartComponent.With(new ComponentInput(plan.Input.ServerId, component))).Retry(ComponentPlan.UntilDockerIsBack);
        }

        ComponentPlan.Prove(plan);
        CommandSteps.After(plan, plan.Input.Commands);
    }
}

/// <summary>Stops components until somebody starts them again, reboots of the host included.</summary>
[Workflow(Kind, version: 5)]
public sealed class StopWorkflow : IWorkflow<ComponentsInput>
{
    public const string Kind = "stop";

    public string Title(ComponentsInput input) => ComponentPlan.Title(Kind, input);

    public void Describe(WorkflowPlan<ComponentsInput> plan)
    {
        ComponentPlan.Begin(plan);
        // The monitor last: it counts what Knot answers until its end.
        foreach (var component in plan.Input.Components.Reverse())
        {
            plan.Step($"stop-{component}", $"Stop {component}", StopComponent.With(new ComponentInput(plan.Input.ServerId, component))).Retry(ComponentPlan.UntilDockerIsBack);
        }

        CommandSteps.After(plan, plan.Input.Commands);
    }
}

/// <summary>Restarts components, running or not.</summary>
[Workflow(Kind, version: 5)]
public sealed class RestartWorkflow : IWorkflow<ComponentsInput>
{
    public const string Kind = "restart";

    public string Title(ComponentsInput input) => ComponentPlan.Title(Kind, input);

    public void Describe(WorkflowPlan<ComponentsInput> plan)
    {
        var server = plan.Input.ServerId;
        ComponentPlan.Begin(plan);
        var before = plan.Step("look", "See since when they run", LookAtComponents.With(new LookInput(server, plan.Input.Components))).Retry(ComponentPlan.UntilDockerIsBack);
        foreach (var component in plan.Input.Components)
        {
            plan.Step($"restart-{component}", $"Restart {component}",
                RestartComponent.With(results => new RestartInput(server, component, results.Of(before).StartedAt.GetValueOrDefault(component)))).Retry(ComponentPlan.UntilDockerIsBack);
        }

        ComponentPlan.Prove(plan);
        CommandSteps.After(plan, plan.Input.Commands, canUndo: false);
    }
}

internal static class ComponentPlan
{
    public static readonly Backoff UntilDockerIsBack = Backoff.Exponential(8, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));

    private static readonly Backoff UntilItAnswers = Backoff.Fixed(20, TimeSpan.FromSeconds(1));

    public static string Title(string verb, ComponentsInput input) => $"{verb} {string.Join(" and ", input.Components.Order(StringComparer.Ordinal))} on {input.ServerName}";

    public static void Begin(WorkflowPlan<ComponentsInput> plan)
    {
        plan.Exclusive($"server:{plan.Input.ServerId}");
        plan.Timeout(CommandSteps.Limit(TimeSpan.FromMinutes(30), plan.Input.Commands));
        plan.Step("check-installed", "Make sure that it is still installed", CheckInstalled.With(new InstalledInput(plan.Input.ServerId, plan.Input.Components))).OnFailure(StepFailure.Fail);
        CommandSteps.Before(plan, plan.Input.Commands);
    }

    public static void Prove(WorkflowPlan<ComponentsInput> plan)
    {
        var input = plan.Input;
        Prove(plan, input.ServerId, input.DnsConfiguration is { } served ? new ProveInput(input.ServerId, served, Serials: false) : null, input.Components.Contains(Component.Dhcp));
    }

    /// <param name="dns">Null where DNS is not concerned.</param>
    public static void Prove<TInput>(WorkflowPlan<TInput> plan, Guid server, ProveInput? dns, bool dhcp, StepFailure failure = StepFailure.Pause) where TInput : notnull
    {
        if (dns is not null)
        {
            plan.Step("prove-dns", "Ask for every zone from outside, over UDP and TCP", ProveAnswers.With(dns)).Retry(UntilItAnswers).OnFailure(failure);
        }

        if (dhcp)
        {
            plan.Step("prove-dhcp", "Ask Kea with what it runs and where it listens", ProveDhcp.With(new ProveDhcpInput(server))).Retry(UntilItAnswers).OnFailure(failure);
        }
    }
}
