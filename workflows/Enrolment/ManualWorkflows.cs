using ManagedServers.Engine;
using ManagedServers.Workflows.Configuration;
using ManagedServers.Workflows.Enrolment.Steps;
using ManagedServers.Workflows.Provisioning;
using ManagedServers.Workflows.Provisioning.Steps;

namespace ManagedServers.Workflows.Enrolment;

/// <summary>The host that somebody has run the line on.</summary>
/// <param name="From">The address from which it came.</param>
/// <param name="Folder">Where everything of the product lies on it.</param>
public sealed record ArrivedHost(string HostName, string Os, string? From, string Folder, IReadOnlyList<string> Interfaces);

/// <summary>What the runs have in common that wait for a host and follow what it does.</summary>
internal static class WaitsForHost
{
    public const string CheckInStep = "check-in";
    public static readonly IReadOnlyList<string> Kinds = [ManualInstallWorkflow.Kind, ManualUninstallWorkflow.Kind];

    // As long as an enrolment token may live.
    private static readonly TimeSpan Wait = EnrolmentTokens.Longest;

    // A command may take a day, an image over a thin line hours.
    private static readonly TimeSpan LongestStep = TimeSpan.FromHours(26);

    public static PlannedStep<ArrivedHost> Begin<TInput>(WorkflowPlan<TInput> plan, Guid server) where TInput : notnull
    {
        plan.Exclusive($"server:{server}");
        plan.Timeout(TimeSpan.FromDays(3));
        var host = plan.WaitFor<ArrivedHost>(CheckInStep, "Wait until the line is run on the host", Wait).OnFailure(StepFailure.Fail);
        plan.Step("make-order", "Write down what the host shall do", MakeOrder.With(results => new OrderInput(server, results.Of(host)))).Retry(ComponentPlan.UntilDockerIsBack);
        return host;
    }

    public static Dictionary<string, PlannedStep<HostDone>> Follow<TInput>(WorkflowPlan<TInput> plan, Guid server, string name, IReadOnlyList<HostStep> steps) where TInput : notnull =>
        steps.ToDictionary(s => s.Name, s => plan.Step(s.Name, s.Title, FollowHost.With(new FollowInput(server, name, s.Name, s.IsFinal)))
            .Timeout(LongestStep).OnFailure(s.IsFinal ? StepFailure.Fail : StepFailure.Pause));
}

/// <summary>
/// Puts components on a host on which the product has no login: it waits until somebody runs the line there, and follows what the host does. A failure there pauses,
/// and running the line again goes on; a configuration that is refused ends the run. The host has taken back by itself by then what would not serve.
/// </summary>
[Workflow(Kind, version: 1)]
public sealed class ManualInstallWorkflow : IWorkflow<InstallInput>
{
    public const string Kind = "install-manually";

    public string Title(InstallInput input) => input.Applied is { } applied
        ? $"{ApplyWorkflow.TitleOf(applied.Components, applied.Again, input.ServerName)} by hand"
        : $"install {string.Join(" and ", input.Components)} on {input.ServerName} by hand";

    public void Describe(WorkflowPlan<InstallInput> plan)
    {
        var input = plan.Input;
        var server = input.ServerId;
        var host = WaitsForHost.Begin(plan, server);
        var done = WaitsForHost.Follow(plan, server, input.ServerName, HostStep.Installing(input));
        if (input.Dns is { } dns)
        {
            plan.Step("prove-dns", "Ask for every zone from outside, where the host can be reached", ProveFromOutside.With(results => new ProveFromOutsideInput(server, results.Of(host).From, dns.Own, dns.Listen)))
                .Retry(Backoff.Fixed(5, TimeSpan.FromSeconds(1)));
        }

        plan.Step("await-heartbeat", "Wait for a heartbeat", AwaitHeartbeat.With(results => new HeartbeatInput(server, input.ApiAddress, results.Of(done["install-agent"]).BeganAt)))
            .Retry(Backoff.None).Timeout(TimeSpan.FromMinutes(3));
        WaitsForHost.Follow(plan, server, input.ServerName, HostStep.Ending(input));
        plan.Step("record", "Record what the server has", RecordByHand.With(new RecordByHandInput(server, input)));
    }
}

/// <summary>Takes everything from such a host that installs have put there.</summary>
[Workflow(Kind, version: 1)]
public sealed class ManualUninstallWorkflow : IWorkflow<UninstallInput>
{
    public const string Kind = "uninstall-manually";

    public string Title(UninstallInput input) => $"uninstall everything from {input.ServerName} by hand";

    public void Describe(WorkflowPlan<UninstallInput> plan)
    {
        WaitsForHost.Begin(plan, plan.Input.ServerId);
        WaitsForHost.Follow(plan, plan.Input.ServerId, plan.Input.ServerName, HostStep.Uninstalling(plan.Input));
        plan.Step("record", "Record that the server has nothing installed", RecordUninstalled.With(new RecordUninstalledInput(plan.Input.ServerId)));
    }
}
