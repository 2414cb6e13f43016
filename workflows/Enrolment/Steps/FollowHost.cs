using ManagedServers.Engine;
using ManagedServers.Workflows.Hosts.Ssh;

namespace ManagedServers.Workflows.Enrolment.Steps;

/// <param name="Step">Its name in the order.</param>
/// <param name="Final">No other try of the same order can help: what was ordered is wrong.</param>
public sealed record FollowInput(Guid ServerId, string ServerName, string Step, bool Final);

/// <param name="BeganAt">When the host said that it began.</param>
public sealed record HostDone(DateTimeOffset BeganAt);

/// <summary>Follows one step that the host does: its words go into the log, its end is the step's. A host that falls silent pauses the run, and holds no worker.</summary>
public sealed class FollowHost(HostOrders orders, TimeProvider time) : Step<FollowHost, FollowInput, HostDone>, IUndoable<FollowInput, HostDone>
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    public override async Task<HostDone> Run(FollowInput input, StepContext step)
    {
        var (session, last, began) = (0, 0L, (DateTime?)null);
        while (true)
        {
            var look = await orders.Look(step.RunId, input.Step, last, step.Cancellation);
            if (look.Session != session)
            {
                // Another start of the line tells its own story.
                (session, began) = (look.Session, null);
            }

            foreach (var report in look.Reports)
            {
                last = report.Id;
                began ??= report.At;
                if (Note(input, report, step))
                {
                    return new HostDone(began.Value);
                }
            }

            if (look.Silent > HostOrders.Patience)
            {
                throw new StepRejectedException($"The host of {input.ServerName} has said nothing for {look.Silent.TotalSeconds:0} s. When it is up and reaches the product it goes on by itself, if the line still runs there; "
                    + $"otherwise run the line on it again (msctl servers enrol {RemoteCommandLine.Quote(input.ServerName)} shows it): it goes on from here.");
            }

            await Task.Delay(Look, time, step.Cancellation);
        }
    }

    /// <summary>What the host has taken back by itself is undone; the rest is the host's alone to take away.</summary>
    public async Task Undo(FollowInput input, HostDone? made, StepContext step)
    {
        switch (await orders.IsChanged(step.RunId, input.Step, step.Cancellation))
        {
            case true:
                throw new StepStaysException($"It is still on the host of {input.ServerName}, where the product has no login. Another order, or an uninstall, changes it there.");
            case false:
                step.Changed("the host has taken it back by itself, as a later step failed there");
                break;
            default:
                step.Unchanged("the host has changed nothing");
                break;
        }
    }

    /// <returns>Whether the step is done.</returns>
    private static bool Note(FollowInput input, StoredReport report, StepContext step)
    {
        switch (report.State)
        {
            case "said":
                step.Log(report.Text);
                return false;
            case "progress":
                step.Progress(Math.Clamp(report.Fraction ?? 0, 0, 1), report.Text);
                return false;
            case HostReports.Changed:
                step.Changed(report.Text);
                return true;
            case "unchanged":
                step.Unchanged(report.Text);
                return true;
            case "done":
                return true;
            case "failed":
                throw new StepRejectedException($"On the host of {input.ServerName}: {report.Text.TrimEnd('.')}.{(input.Final ? "" : " When that is put right, run the line on the host again: it goes on from here.")}");
            default:
                return false;
        }
    }
}
