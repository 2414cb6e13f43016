using System.Diagnostics;
using System.Globalization;
using ManagedServers.Engine;
using ManagedServers.Workflows.Commands;
using ManagedServers.Workflows.Hosts;
using ManagedServers.Workflows.Settings;
using Microsoft.Extensions.Logging;

namespace ManagedServers.Workflows.Provisioning.Steps;

/// <param name="Before">Steps whose commands are journalled by now, so that the host may forget them.</param>
/// <param name="Phase"><c>pre</c>, <c>post</c>, or <c>run</c> of one that is run by hand.</param>
public sealed record CommandInput(CommandScene Scene, OperatorCommand Command, IReadOnlyList<int> Before, string Phase);

public sealed record RanCommand(int ExitCode);

/// <summary>
/// Runs an operator's own text on the host, under the wrapper that knows how it ended even when nobody was listening. Once it may have begun, only an exit code that somebody
/// was told, or an operator who was asked, lets it begin again; unless it is repeatable.
/// </summary>
public sealed class RunCommand(Servers.Servers servers, SecretRedactor redactor) : Step<RunCommand, CommandInput, RanCommand>, IPreviewable<CommandInput, RanCommand>
{
    /// <summary>How long a host that a command runs on may be away: a reboot with its checks of disks.</summary>
    internal static readonly TimeSpan LongestAbsence = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    public override async Task<RanCommand> Run(CommandInput input, StepContext step)
    {
        var key = Key(step, step.Seq, step.SuccessesOf(step.Seq));
        try
        {
            await using (var host = await servers.Connect(input.Scene.ServerId, step.Cancellation))
            {
                await Forget(host, input.Before, step);
            }

            var result = await ToItsEnd(input, key, step);
            await Judge(result, input, key, step);
            step.Changed($"ran '{input.Command.Name}'{(result.ExitCode == 0 ? "" : $", exit code {result.ExitCode}")}");
            return new RanCommand(result.ExitCode);
        }
        catch (OperationCanceledException) when (step.CancelledByOperator)
        {
            await End(input.Scene.ServerId, key, step);
            throw;
        }
    }

    public Task<Preview<RanCommand>> Preview(CommandInput input, CancellationToken cancellationToken) =>
        Task.FromResult(Preview<RanCommand>.Of(null, new PlannedChange(ChangeKind.Run, "command", input.Command.Name, input.Command.Text)));

    /// <summary>Lets the host forget the commands of these steps of the run; one that a skipped step has left running stays remembered.</summary>
    internal static async Task Forget(IHost host, IReadOnlyList<int> steps, StepContext step)
    {
        // Not taken from the steps' results: one that is skipped has none, and may have left a command all the same.
        foreach (var key in steps.SelectMany(seq => Keys(step, seq)))
        {
            if ((await host.LookUpKept(key, step.Cancellation)).Phase != KeptCommandPhase.Running)
            {
                await host.ForgetKept(key, step.Cancellation);
            }
        }
    }

    // Done again after it was done, it is another command: what the host still knows of the former one is no answer.
    private static string Key(StepContext step, int seq, int successes) =>
        step.IdempotencyKeyOf(seq) + (successes == 0 ? "" : successes.ToString("'-'0", CultureInfo.InvariantCulture));

    /// <summary>Of its last success, and of what may have been begun since.</summary>
    private static IEnumerable<string> Keys(StepContext step, int seq)
    {
        var successes = step.SuccessesOf(seq);
        return Enumerable.Range(Math.Max(0, successes - 1), Math.Min(successes, 1) + 1).Select(n => Key(step, seq, n));
    }

    /// <summary>Starts it, or attaches where the host knows it, as often as the connection is lost.</summary>
    private async Task<CommandResult> ToItsEnd(CommandInput input, string key, StepContext step)
    {
        var command = input.Command;
        var output = new LoggedOutput(step, redactor);
        var begun = false;
        var away = new Stopwatch();
        for (var wait = TimeSpan.FromSeconds(1); ; wait = TimeSpan.FromSeconds(Math.Min(wait.TotalSeconds * 2, LongestWait.TotalSeconds)))
        {
            try
            {
                await using var host = await servers.Connect(input.Scene.ServerId, step.Cancellation);
                var found = await host.LookUpKept(key, step.Cancellation);
                if (begun && found.Phase == KeptCommandPhase.None && !command.Repeatable)
                {
                    throw Uncertain(command, host, "and the host knows nothing of it now: either it was not started, or its record was removed");
                }

                if (found.Phase is KeptCommandPhase.Running or KeptCommandPhase.Ended)
                {
                    step.Log(found.Phase == KeptCommandPhase.Running
                        ? $"'{command.Name}' is running on the host since it was started; waiting for its end."
                        : $"'{command.Name}' has ended on the host while nobody was listening; it is not run again.");
                }

                (begun, wait) = (true, TimeSpan.FromSeconds(1));
                away.Reset();
                if (await Follow(host, input, key, output, step) is { } result)
                {
                    return result;
                }
            }
            catch (Exception fault) when (begun && fault is HostUnavailableException or HostCommandTimeoutException && away.Elapsed < LongestAbsence)
            {
                if (!away.IsRunning)
                {
                    away.Start();
                    step.Log($"{fault.Message} '{command.Name}' goes on there by itself; its result is fetched as soon as the host answers, for up to {LongestAbsence.TotalMinutes:0} minutes.", LogLevel.Warning);
                }

                await Task.Delay(wait, step.Cancellation);
            }
            catch (Exception fault) when (begun && fault is not OperationCanceledException and not StepUncertainException)
            {
                throw new StepUncertainException(
                    $"The command '{command.Name}' was started, and how it ended could not be fetched: {fault.Message} A retry fetches it, and starts the command again only where the host knows nothing of it.", fault);
            }
        }
    }

    /// <summary>Null when it is to be started again.</summary>
    private static async Task<CommandResult?> Follow(IHost host, CommandInput input, string key, LoggedOutput output, StepContext step)
    {
        var command = input.Command;
        output.FromTheBeginning();
        try
        {
            return await host.RunKept(key, KeptCommand.FromOperator(command.Text) with
            {
                AsRoot = command.AsRoot,
                Timeout = TimeSpan.FromSeconds(command.TimeoutSeconds),
                Environment = CommandSteps.Environment(input.Scene, input.Phase, step.RunId, host.Target.Address.Text, HostLayout.Of(host).Root),
                OnLine = output.Add,
            }, step.Cancellation);
        }
        catch (HostRejectedException lost) when (lost.Code == HostProblem.CommandLost)
        {
            // Forgotten, so that whoever is asked and says "again" is not asked the same once more.
            await host.ForgetKept(key, step.Cancellation);
            if (!command.Repeatable)
            {
                throw Uncertain(command, host, "and is gone without an exit code: the host was restarted, something ended the command from outside, or its record in the product's folder was removed or could not be written (is the disk full?)");
            }

            step.Log($"{lost.Message} It is repeatable, so it is run again.", LogLevel.Warning);
            output.Restart();
            return null;
        }
    }

    private async Task Judge(CommandResult result, CommandInput input, string key, StepContext step)
    {
        if (!result.TimedOut && input.Command.SuccessCodes.Contains(result.ExitCode))
        {
            return;
        }

        // Told to the operator now, whose retry runs it again.
        var command = input.Command;
        await using var host = await servers.Connect(input.Scene.ServerId, step.Cancellation);
        await host.ForgetKept(key, step.Cancellation);
        throw new StepRejectedException(result.TimedOut
            ? $"The command '{command.Name}' on {host.Target} took longer than {command.TimeoutSeconds} s and was ended. Its output is in the log above."
            : $"The command '{command.Name}' on {host.Target} ended with exit code {result.ExitCode}. Its output is in the log above.");
    }

    /// <summary>The operator wants it to stop, so it must not go on behind everybody's back. A stopping node only lets go.</summary>
    private async Task End(Guid serverId, string key, StepContext step)
    {
        using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(25));
        try
        {
            await using var host = await servers.Connect(serverId, grace.Token);
            await host.EndKept(key, grace.Token);
            await host.ForgetKept(key, grace.Token);
        }
        catch (Exception fault) when (fault is IHostProblem or OperationCanceledException)
        {
            step.Log($"The command could not be ended on the host, and may still be at work there: {(fault is IHostProblem ? fault.Message : "the host did not answer in time.")}", LogLevel.Warning);
        }
    }

    private static StepUncertainException Uncertain(OperatorCommand command, IHost host, string what) => new(
        $"The command '{command.Name}' was started on {host.Target}, {what}. Nobody knows how far it came. Look at the host, then retry, which runs it again if it has not ended by then, or skip it, or cancel.");
}
