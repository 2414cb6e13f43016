using ManagedServers.Engine;
using ManagedServers.Workflows.Provisioning;
using System.Text.Json;

namespace ManagedServers.Workflows.Enrolment.Steps;

public sealed record OrderInput(Guid ServerId, ArrivedHost Host);

/// <summary>Writes the order for a host that has said who it is. Written once: running the line again does the same again.</summary>
public sealed class MakeOrder(IRuns runs, HostOrders orders, OrderDocument document) : Step<MakeOrder, OrderInput, Nothing>
{
    public override async Task<Nothing> Run(OrderInput input, StepContext step)
    {
        var run = await runs.Get(step.RunId, step.Cancellation) ?? throw new StepRejectedException("The run is gone.");
        await orders.Write(input.ServerId, step.RunId, run.Kind == ManualUninstallWorkflow.Kind
            ? OrderDocument.Uninstall(step.RunId, run.Input.Deserialize<UninstallInput>(EngineJson.Options)!, input.Host)
            : await document.Install(step.RunId, run.Input.Deserialize<InstallInput>(EngineJson.Options)!, input.Host, step.Cancellation), step.Cancellation);
        step.Log($"{input.Host.HostName} has checked in{(input.Host.From is { } from ? $" from {from}" : "")}: {input.Host.Os}.");
        return Nothing.Value;
    }
}
