using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Before">Steps whose commands are journalled by now, so that the host may forget them.</param>
public sealed record CommandInput(Guid ServerId, string ServerName, OperatorCommand Command, IReadOnlyList<int> Before);

/// <summary>Runs an operator's own text on the host, under the wrapper that knows how it ended even when nobody was listening.</summary>
public sealed class RunCommand(Servers.Servers servers) : Step<RunCommand, CommandInput, Nothing>
{
    public override async Task<Nothing> Run(CommandInput input, StepContext step)
    {
        await using var host = await servers.Connect(input.ServerId, step.Cancellation);
        await Forget(host, input.Before, step);
        try
        {
            await Run(host, input, step);
        }
        catch (OperationCanceledException) when (step.CancelledByOperator)
        {
            // The operator wants it to stop, so it must not go on behind everybody's back. A stopping node only lets go.
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(25));
            await host.EndKept(step.IdempotencyKey, grace.Token);
            await host.ForgetKept(step.IdempotencyKey, grace.Token);
            throw;
        }

        step.Changed($"ran '{input.Command.Name}'");
        return Nothing.Value;
    }

    /// <summary>Lets the host forget the commands of these steps of the run; one that a skipped step has left running stays remembered.</summary>
    internal static async Task Forget(IHost host, IReadOnlyList<int> steps, StepContext step)
    {
        // Not taken from the steps' results: one that is skipped has none, and may have left a command all the same.
        foreach (var key in steps.Select(step.IdempotencyKeyOf))
        {
            if ((await host.LookUpKept(key, step.Cancellation)).Phase != KeptCommandPhase.Running)
            {
                await host.ForgetKept(key, step.Cancellation);
            }
        }
    }

    private static async Task Run(IHost host, CommandInput input, StepContext step)
    {
        var (command, key) = (input.Command, step.IdempotencyKey);
        await Settle(host, key, command, step);
        var result = await host.RunKept(key, KeptCommand.FromOperator(command.Text) with
        {
            Timeout = TimeSpan.FromSeconds(command.TimeoutSeconds),
            Environment = new Dictionary<string, string>
            {
                ["MS_SERVER"] = input.ServerName, ["MS_ADDRESS"] = host.Target.Address.Text, ["MS_RUN"] = step.RunId.ToString(), ["MS_STEP"] = step.Seq.ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
            OnLine = line => step.Log(line.Text, line.IsError ? LogLevel.Warning : LogLevel.Information),
        }, step.Cancellation);
        if (result.ExitCode != 0)
        {
            await host.ForgetKept(key, step.Cancellation);
            throw new StepRejectedException(result.TimedOut
                ? $"The command '{command.Name}' on {host.Target} took longer than {command.TimeoutSeconds} s and was ended. Its output is in the log above."
                : $"The command '{command.Name}' on {host.Target} ended with exit code {result.ExitCode}. Its output is in the log above.");
        }
    }

    /// <summary>Decides what an earlier start of this very command means now.</summary>
    private static async Task Settle(IHost host, string key, OperatorCommand command, StepContext step)
    {
        var found = await host.LookUpKept(key, step.Cancellation);
        switch (found.Phase)
        {
            case KeptCommandPhase.Running:
                step.Log($"'{command.Name}' is still running on the host since the interruption; waiting for its end.");
                break;
            case KeptCommandPhase.Ended when found.ExitCode == 0 && step.WasInterrupted:
                step.Log($"'{command.Name}' had ended well on the host while the product was away; it is not run again.");
                break;
            case KeptCommandPhase.Ended or KeptCommandPhase.Lost:
                await host.ForgetKept(key, step.Cancellation);
                break;
        }
    }
}
