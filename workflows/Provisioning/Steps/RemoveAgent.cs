using ManagedServers.Engine;
using ManagedServers.Workflows.Pull;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

public sealed record RemoveAgentInput(Guid ServerId);

/// <summary>No agent, nothing that would start one, and no folder of it.</summary>
public sealed class RemoveAgent(Servers.Servers servers, LastPull last) : Step<RemoveAgent, RemoveAgentInput, Nothing>, IPreviewable<RemoveAgentInput, Nothing>
{
    public override async Task<Nothing> Run(RemoveAgentInput input, StepContext step)
    {
        var token = step.Cancellation;
        await using var host = await servers.Connect(input.ServerId, token);
        var layout = HostLayout.Of(host);
        if (!(await host.Run(["test", "-d", layout.Agent], cancellationToken: token)).Succeeded)
        {
            step.Unchanged("there is no agent");
            return Nothing.Value;
        }

        await last.OfAgent(input.ServerId, step);
        // Today's script: it knows every way in which its predecessors have been kept running, also where their own file is gone.
        await host.WriteFile(layout.AgentScript, PayloadFiles.AgentScript, HostLayout.PrivateFile, token);
        var said = (await host.Run(["python3", layout.AgentScript, "uninstall"], cancellationToken: token)).Check();
        if (said.Stderr.Trim() is { Length: > 0 } complaint)
        {
            step.Log(complaint, LogLevel.Warning);
        }

        await host.Remove(layout.Agent, token);
        step.Changed("removed the agent");
        return Nothing.Value;
    }

    public async Task<Preview<Nothing>> Preview(RemoveAgentInput input, CancellationToken cancellationToken)
    {
        await using var host = await servers.Connect(input.ServerId, cancellationToken);
        var folder = HostLayout.Of(host).Agent;
        return (await PrepareFolders.Present(host, [folder], cancellationToken)).Count == 0 ? Preview<Nothing>.Nothing(Nothing.Value)
            : Preview<Nothing>.Of(Nothing.Value, new PlannedChange(ChangeKind.Remove, "agent", folder, "with the service that keeps it running"));
    }
}
