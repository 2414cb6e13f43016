using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;

namespace ManagedServers.Workflows.HostKeys;

public sealed record AcceptHostKeyInput(Guid ServerId, string ServerName, HostKey Accepted, HostKey Shown, string? Reason);

/// <summary>
/// Asks whether the key that a host shows is to be accepted in the place of the pinned one. Does not wait for the server's other runs: one of them may
/// be paused for just this.
/// </summary>
[Workflow("accept-host-key", version: 1)]
public sealed class AcceptHostKeyWorkflow : IWorkflow<AcceptHostKeyInput>
{
    public string Title(AcceptHostKeyInput input) => $"accept another host key of {input.ServerName}";

    public void Describe(WorkflowPlan<AcceptHostKeyInput> plan)
    {
        var input = plan.Input;
        plan.Exclusive($"host-key:{input.ServerId}");
        plan.Step("read-key", $"Read the key that {input.ServerName} shows", ReadKey.With(input)).OnFailure(StepFailure.Fail);
        var approval = plan.Approve("accept", $"Is {input.Shown} the key of {input.ServerName}? Accepted until now: {input.Accepted}. Compare it on the host's own console: "
            + "ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub", TimeSpan.FromDays(7));
        plan.Step("pin-key", "Log in on the host with this key, then accept no other", PinKey.With(results => new PinKeyInput(input, results.Of(approval)))).OnFailure(StepFailure.Fail);
    }
}
